// The routes of swarms: this daemon is no manager of one, and says so as Docker does.
import type { FastifyInstance } from 'fastify';
import { EngineError } from '../../model/engine-error.ts';

const NO_MANAGER =
  'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.';
const FAMILIES = ['/swarm', '/nodes', '/services', '/tasks', '/secrets', '/configs'];

export function swarmRoutes(app: FastifyInstance): void {
  app.post('/swarm/leave', () => {
    throw new EngineError('unavailable', 'This node is not part of a swarm');
  });
  const refuse = () => {
    throw new EngineError('unavailable', NO_MANAGER);
  };
  for (const family of FAMILIES) {
    app.all(family, refuse);
    app.all(`${family}/*`, refuse);
  }
}
