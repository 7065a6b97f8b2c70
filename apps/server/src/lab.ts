// The lab server put together: database, pages, sockets, one port. The only place where the parts meet.
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { PageSource } from '@drydock/protocol/pages.ts';
import type { Config } from './config.ts';
import { EngineClient } from './engine-client/engine-client.ts';
import { createLabServer, type Health } from './http/lab-http.ts';
import { originList, type OriginList } from './http/origin.ts';
import { readSessionToken } from './http/session-cookie.ts';
import { Tickets } from './http/tickets.ts';
import { openWebApp, type WebApp } from './http/web-app.ts';
import { freshLease } from './learner/lease-policy.ts';
import { LearnersHere } from './learner/learners-here.ts';
import { lessonSource } from './lessons/lesson-source.ts';
import { findLesson } from './lessons/library.ts';
import { say, sentenceOf } from './messages/messages.ts';
import { pageSource } from './pages/page-source.ts';
import { openDatabase, rehearse } from './repositories/database.ts';
import { Learners } from './repositories/learners.ts';
import { Leases } from './repositories/leases.ts';
import { Recordings } from './repositories/recordings.ts';
import { Steps } from './repositories/steps.ts';
import { openLabSockets } from './socket/lab-sockets.ts';

/** Without accounts the whole server has one learner, so that another browser resumes the same work. */
export const SOLO_LEARNER = 'solo';
/** Who looks at a lesson that is being written: another one, with a sandbox of its own. */
const AUTHOR = 'preview';

declare global {
  var __drydockPages: PageSource | undefined;
}

export interface Lab {
  /** "http://127.0.0.1:3000" */
  address: string;
  close(): Promise<void>;
}

/** Starts everything and listens; `openWeb` renders the pages. Throws one sentence when it can't. */
export async function startLab(
  config: Config,
  log: Logger,
  openWeb: (config: Config) => Promise<WebApp> = openWebApp,
): Promise<Lab> {
  const database = await openDatabase(config.databaseUrl, join(config.home, 'prisma/migrations'));
  const learners = new Learners(database);
  const learner = config.preview === null ? SOLO_LEARNER : AUTHOR;
  await learners.ensure(learner);

  const steps = new Steps(database);
  const leases = new Leases(database);
  await rehearse(database, async (inside) => {
    const ref = { learner, track: '', lesson: '', step: '' };
    await new Leases(inside).find(learner);
    await new Leases(inside).save(freshLease(learner, learner, 0, config.leasePolicy));
    await new Steps(inside).find(ref);
    await new Steps(inside).begin(ref, { startedAtMs: 0, sandboxEpoch: '', baseline: [] });
  });
  // An author reads at a terminal, not in a log.
  const tell = (sentence: string): void => (config.preview === null ? log.warn(sentence) : console.error(sentence));
  const library = lessonSource(config.lessons, config.preview, tell);
  globalThis.__drydockPages = pageSource(library, steps);

  const engine = new EngineClient(config.labSocket);
  const tickets = new Tickets();
  const here = new LearnersHere({
    engine,
    steps,
    leases,
    recordings: new Recordings(database),
    policy: config.leasePolicy,
    log,
    findStep: (track, lesson, step) =>
      findLesson(library(), track, lesson)?.content?.steps.find(({ id }) => id === step) ?? null,
  });

  const web = await openWeb(config);
  let origins: OriginList = originList(config.port, config.extraOrigins);
  const sockets = openLabSockets({
    engine,
    learners: here,
    tickets,
    sessionOf: ({ headers }) => readSessionToken(headers.cookie, origins.isSecure(headers.host)),
    log,
  });
  const server = createLabServer({
    development: config.development,
    log,
    origins: () => origins,
    visitors: {
      learnerOf: (token) => learners.ofSession(token),
      welcome: async () => ({ token: await learners.beginSession(learner), learner }),
    },
    tickets,
    expect: (who, path) => {
      const [, track = '', lesson = ''] = /^\/learn\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
      if (!findLesson(library(), track, lesson)?.content) return;
      // What keeps it from being made is said when the page opens its step.
      here
        .of(who)
        .expect()
        .catch((error: unknown) => log.info({ error, learner: who }, 'a sandbox was not made ahead'));
    },
    web,
    health: () => healthOf(engine),
    socket: (request, socket, head) => sockets.take(request, socket, head),
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, config)));
    server.listen(config.port, config.host, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : config.port;
  origins = originList(port, config.extraOrigins);
  here.start();
  return {
    address: origins.origins.find((origin) => new URL(origin).hostname === config.host) ?? `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      await sockets.close();
      await here.close();
      server.closeAllConnections();
      engine.close();
      await web.close();
      await database.$disconnect();
    },
  };
}

/** The pages are served with or without an engine; who watches over the lab wants to know which. */
async function healthOf(engine: EngineClient): Promise<Health> {
  try {
    return { ok: true, engine: await engine.ping() };
  } catch (error) {
    return { ok: true, engine: null, message: sentenceOf(error, 'en') ?? say('en', 'engineLost') };
  }
}

function listenError(error: NodeJS.ErrnoException, { host, port }: Config): Error {
  if (error.code === 'EADDRINUSE')
    return new Error(`Cannot listen on ${host}:${port}: the port is taken. Stop what uses it, or start with --port N.`);
  if (error.code === 'EACCES')
    return new Error(`Cannot listen on ${host}:${port}: ports below 1024 are root's. Start with --port 3000.`);
  return new Error(`Cannot listen on ${host}:${port}: ${error.message}`, { cause: error });
}
