// The lab server put together: database, pages, sockets, one port. The only place where the parts meet.
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { PageSource } from '@drydock/protocol/pages.ts';
import type { Config } from './config.ts';
import { createLabServer } from './http/lab-http.ts';
import { originList, type OriginList } from './http/origin.ts';
import { Tickets } from './http/tickets.ts';
import { openWebApp } from './http/web-app.ts';
import { openDatabase } from './repositories/database.ts';
import { Learners } from './repositories/learners.ts';

/** Without accounts the whole server has one learner, so that another browser resumes the same work. */
export const SOLO_LEARNER = 'solo';

declare global {
  var __drydockPages: PageSource | undefined;
}

export interface Lab {
  /** "http://127.0.0.1:3000" */
  address: string;
  close(): Promise<void>;
}

/** Starts everything and listens. Throws one sentence when it can't. */
export async function startLab(config: Config, log: Logger): Promise<Lab> {
  const database = await openDatabase(config.databaseUrl, join(config.home, 'prisma/migrations'));
  const learners = new Learners(database);
  await learners.ensure(SOLO_LEARNER);

  globalThis.__drydockPages = {
    catalogue: () => Promise.resolve({ tracks: [] }),
    lesson: () => Promise.resolve(null),
  };

  const web = await openWebApp(config);
  let origins: OriginList = originList(config.port, config.extraOrigins);
  const server = createLabServer({
    development: config.development,
    log,
    origins: () => origins,
    visitors: {
      learnerOf: (token) => learners.ofSession(token),
      welcome: async () => ({ token: await learners.beginSession(SOLO_LEARNER), learner: SOLO_LEARNER }),
    },
    tickets: new Tickets(),
    web,
    health: () => Promise.resolve({ ok: true }),
    socket: (_request, socket) => socket.destroy(),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, config)));
    server.listen(config.port, config.host, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port;
  origins = originList(port, config.extraOrigins);
  return {
    address: origins.origins.find((origin) => new URL(origin).hostname === config.host) ?? `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await web.close();
      await database.$disconnect();
    },
  };
}

function listenError(error: NodeJS.ErrnoException, { host, port }: Config): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(`Cannot listen on ${host}:${port}: the port is taken. Stop what uses it, or start with --port N.`);
  if (error.code === 'EACCES')
    return new Error(`Cannot listen on ${host}:${port}: ports below 1024 are root's. Start with --port 3000.`);
  return new Error(`Cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
}
