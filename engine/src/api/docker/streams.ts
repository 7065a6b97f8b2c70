// Everything of Docker's API that streams: connections taken out of HTTP, and answers that go on.
import type { FastifyInstance } from 'fastify';
import type { Upgrade } from '../upgrades.ts';
import { attachHijack, resizeRoute } from './attach.ts';
import { attachWebSocketUpgrade } from './attach-ws.ts';
import { eventsRoute } from './events.ts';
import { execRoutes, execStartHijack } from './exec.ts';
import { type HijackRoute, hijackRoutes, hijackUpgrade } from './hijack.ts';
import { logsRoute } from './logs.ts';
import { statsRoute } from './stats.ts';
import type { StreamsBackend } from './streams-backend.ts';

const hijacks = (backend: StreamsBackend): HijackRoute[] => [attachHijack(backend), execStartHijack(backend)];

export function streamRoutes(app: FastifyInstance, backend: StreamsBackend): void {
  hijackRoutes(app, hijacks(backend), (fd) => backend.unreadBytes(fd));
  resizeRoute(app, backend);
  execRoutes(app, backend);
  logsRoute(app, backend);
  eventsRoute(app, backend);
  statsRoute(app, backend);
}

/** The same connections, for clients that ask for an upgrade, and attach over a WebSocket. */
export const streamUpgrades = (backend: StreamsBackend): Upgrade[] => [
  hijackUpgrade(hijacks(backend), (fd) => backend.unreadBytes(fd)),
  attachWebSocketUpgrade(backend),
];
