// The two sockets' routes, called without a kernel: what they answer, and what they refuse.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { EngineError } from '../model/engine-error.ts';
import type { Backends } from './http.ts';
import { engineApp, labApp } from './http.ts';

const notHere = () => Promise.reject(new EngineError('not_found', 'Cannot find sandbox "ada": no such sandbox'));

// What is not called here is not there: a route's own test has its backend.
const docker = {
  system: {
    facts: () => ({
      version: '0.1.0',
      gitCommit: 'abc',
      buildTime: '2026-01-01T00:00:00Z',
      os: 'linux',
      arch: 'amd64',
      kernelVersion: '6.1',
      nodeVersion: '20.20.2',
    }),
    info: notHere,
  },
} as unknown as Backends['docker'];

const backends: Backends = {
  docker,
  jobs: {
    async *listen() {
      yield { kind: 'began', job: { id: 1, operation: 'sandbox create', target: 'ada', startedAtMs: 0 } };
    },
  },
  ping: () => ({ version: '0.1.0', kernel: '6.1', cgroup: 'v2' }),
  lab: {
    list: async () => [],
    create: notHere,
    get: notHere,
    start: notHere,
    stop: notHere,
    freeze: notHere,
    thaw: notHere,
    reset: notHere,
    remove: notHere,
    stats: notHere,
    terminals: notHere,
    openTerminal: notHere,
    terminal: notHere,
    resizeTerminal: notHere,
    closeTerminal: notHere,
    attachTerminal: notHere,
    exec: notHere,
    listDirectory: notHere,
    readFile: notHere,
    writeFile: notHere,
    observe: () => {
      throw new EngineError('internal', 'not reached');
    },
  },
};
const log = pino({ level: 'silent' });

test('ping answers with Docker’s headers, with and without a version', async () => {
  const app = engineApp(log, backends);
  for (const url of ['/_ping', '/v1.45/_ping']) {
    const answer = await app.inject({ url });
    expect([answer.statusCode, answer.body]).toEqual([200, 'OK']);
    expect(answer.headers['api-version']).toBe('1.50');
    expect(answer.headers['ostype']).toBe('linux');
  }
  const head = await app.inject({ method: 'HEAD', url: '/_ping' });
  expect([head.statusCode, head.body]).toEqual([200, '']);
});

test('a version out of range, and a route that is not there, are refused as Docker does', async () => {
  const app = engineApp(log, backends);
  const tooNew = await app.inject({ url: '/v1.99/info' });
  expect(tooNew.statusCode).toBe(400);
  expect(tooNew.json().message).toBe('client version 1.99 is too new. Maximum supported API version is 1.50');
  const missing = await app.inject({ url: '/v1.45/nothing' });
  expect([missing.statusCode, missing.json()]).toEqual([404, { message: 'page not found' }]);
});

test('the lab socket has the lab routes and no Docker route', async () => {
  const app = labApp(log, backends);
  expect((await app.inject({ url: '/lab/ping' })).json()).toEqual({ version: '0.1.0', kernel: '6.1', cgroup: 'v2' });
  expect((await app.inject({ url: '/version' })).statusCode).toBe(404);
  expect((await app.inject({ url: '/info' })).statusCode).toBe(404);
});

test('errors carry a sentence and the status of their kind', async () => {
  const app = labApp(log, backends);
  const missing = await app.inject({ url: '/lab/sandboxes/ada' });
  expect(missing.statusCode).toBe(404);
  expect(missing.json()).toEqual({ message: 'Cannot find sandbox "ada": no such sandbox', kind: 'not_found' });
  const bad = await app.inject({ method: 'POST', url: '/lab/sandboxes', payload: { id: '../etc' } });
  expect(bad.statusCode).toBe(400);
  expect(bad.json().message).toContain('Cannot read body "id"');
  const privileged = await app.inject({ method: 'POST', url: '/lab/sandboxes/ada/mount', payload: {} });
  expect(privileged.statusCode).toBe(400);
});

test('the OpenAPI document describes every route that is served', async () => {
  const app = labApp(log, backends);
  const document = (await app.inject({ url: '/lab/openapi.json' })).json();
  expect(document.openapi).toBe('3.1.0');
  const described = Object.entries<object>(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path}`),
  );
  expect(described).toContain('POST /lab/sandboxes/{id}/terminals');
  for (const entry of described) {
    const [method = '', path = ''] = entry.split(' ');
    if (path.endsWith('/stream')) continue; // answered by the upgrade, not by a route
    const url = path.replaceAll(/\{(\w+)\}/g, ':$1');
    expect(app.hasRoute({ method: method, url }), entry).toBe(true);
  }
  const create = document.paths['/lab/sandboxes'].post;
  expect(create.requestBody.content['application/json'].schema.required).toEqual(['id']);
});
