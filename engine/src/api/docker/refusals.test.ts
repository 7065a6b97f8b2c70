// What this daemon is not: a manager of a swarm, a host of plugins, a client of registries. Called without opening a port.
import { fastify } from 'fastify';
import { expect, test } from 'vitest';
import { errorAnswer } from '../http-status.ts';
import { registryRoutes } from './registries.ts';
import { swarmRoutes } from './swarm.ts';

const app = fastify();
app.setErrorHandler((error, _request, reply) => {
  const { status, message } = errorAnswer(error);
  return reply.status(status).send({ message });
});
swarmRoutes(app);
registryRoutes(app);

const NO_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';

test.each([
  ['GET', '/swarm'],
  ['POST', '/swarm/init'],
  ['GET', '/nodes'],
  ['GET', '/services/web'],
  ['POST', '/services/create'],
  ['GET', '/tasks'],
  ['POST', '/secrets/create'],
  ['DELETE', '/configs/x'],
] as const)('%s %s is no manager’s to answer', async (method, url) => {
  const answer = await app.inject({ method, url });
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ message: NO_MANAGER });
});

test('a swarm can’t be left that was never joined', async () => {
  const answer = await app.inject({ method: 'POST', url: '/swarm/leave?force=1' });
  expect(answer.statusCode).toBe(503);
  expect(answer.json()).toEqual({ message: 'This node is not part of a swarm' });
});

test('registries are named in what can’t be asked of them', async () => {
  const login = await app.inject({ method: 'POST', url: '/auth', payload: { serveraddress: 'reg.example:5000' } });
  expect(login.statusCode).toBe(503);
  expect(login.json()).toEqual({
    message: 'Cannot log in to "reg.example:5000": this engine has no client for registries yet',
  });
  const look = await app.inject({ url: '/distribution/reg.example:5000/team/app:1/json' });
  expect(look.statusCode).toBe(503);
  expect(look.json()).toEqual({
    message:
      'Cannot look "reg.example:5000/team/app:1" up in its registry: this engine has no client for registries yet',
  });
});
