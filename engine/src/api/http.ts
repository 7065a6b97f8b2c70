// The two HTTP servers of the daemon: what they have in common (errors, limits, unix sockets), and what each serves.
import fastify, { type FastifyInstance, LogController } from 'fastify';
import { chmodSync, chownSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { EngineError } from '../model/engine-error.ts';
import { type DockerBackends, dockerRoutes } from './docker/routes.ts';
import { streamUpgrades } from './docker/streams.ts';
import { withoutVersion } from './docker/version-prefix.ts';
import { errorAnswer } from './http-status.ts';
import { type LabBackends, labRoutes } from './lab/routes.ts';
import { terminalUpgrade } from './lab/terminal-stream.ts';
import { serveUpgrades } from './upgrades.ts';

export interface Backends extends LabBackends {
  docker: DockerBackends;
}

/** A body of the lab API is at most a saved file and its JSON escapes. */
const BODY_LIMIT_BYTES = 8 * 2 ** 20;

function app(log: Logger, rewriteUrl: (url: string) => string): FastifyInstance {
  const instance = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: BODY_LIMIT_BYTES,
    // A version that is not ours is refused by the handler below, in the same form as every other error.
    rewriteUrl: (request) => {
      try {
        return rewriteUrl(request.url ?? '/');
      } catch (error) {
        return `/refused?message=${encodeURIComponent(errorAnswer(error).message)}`;
      }
    },
  });
  instance.setErrorHandler((error, request, reply) => {
    const { status, kind, message } = errorAnswer(error);
    if (status >= 500) request.log.error(error, message);
    // 304 has no body, and so no type of one: clients would read it as JSON.
    return status === 304 ? reply.status(status).send() : reply.status(status).send({ message, kind });
  });
  // The docker CLI takes an error's body for JSON only when the type is exactly this, and prints it raw otherwise.
  instance.addHook('onSend', async (_request, reply, payload) => {
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8')
      reply.header('content-type', 'application/json');
    return payload;
  });
  instance.setNotFoundHandler((_request, reply) => reply.status(404).send({ message: 'page not found' }));
  instance.all('/refused', (request) => {
    const { message } = request.query as { message?: string };
    throw new EngineError('invalid_argument', message ?? 'refused');
  });
  return instance as unknown as FastifyInstance;
}

/** engine.sock: Docker's API and everything else. Who holds it is root. */
export function engineApp(log: Logger, backends: Backends): FastifyInstance {
  const instance = app(log, withoutVersion);
  dockerRoutes(instance, backends.docker);
  labRoutes(instance, backends);
  const upgrades = [...streamUpgrades(backends.docker.streams), terminalUpgrade(backends.lab)];
  const endStreams = serveUpgrades(instance.server, upgrades);
  instance.addHook('preClose', async () => endStreams());
  return instance;
}

/** lab.sock: the lab routes only. */
export function labApp(log: Logger, backends: LabBackends): FastifyInstance {
  const instance = app(log, (url) => url);
  labRoutes(instance, backends);
  const endStreams = serveUpgrades(instance.server, [terminalUpgrade(backends.lab)]);
  instance.addHook('preClose', async () => endStreams());
  return instance;
}

function somebodyListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

/**
 * Listens on a unix socket with these rights. A socket file that a killed daemon left is replaced; one that a living
 * daemon serves is a conflict.
 */
export async function listenOn(instance: FastifyInstance, path: string, mode: number, gid: number): Promise<void> {
  mkdirSync(dirname(path), { recursive: true });
  if (await somebodyListens(path))
    throw new EngineError(
      'conflict',
      `Cannot listen on "${path}": another engine serves it; stop that one or set DRYDOCK_RUN`,
    );
  rmSync(path, { force: true });
  // Made without rights for others, then opened as far as asked: nobody connects in between.
  const before = process.umask(0o177);
  try {
    await instance.listen({ path });
  } finally {
    process.umask(before);
  }
  chownSync(path, 0, gid);
  chmodSync(path, mode);
}
