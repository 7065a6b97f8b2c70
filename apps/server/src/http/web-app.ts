// Next.js inside this process: pages, their files, hot reload in development. Next is handed a decoy of an http server:
// it would attach its own upgrade listener, and which sockets may open is decided in one place, not in two.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import next from 'next';
import type { Config } from '../config.ts';

export interface WebApp {
  render(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Hot reload; only in development. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

export async function openWebApp(config: Config): Promise<WebApp> {
  // Next reports its use to its makers unless told not to; a lab speaks to nobody.
  process.env['NEXT_TELEMETRY_DISABLED'] = '1';
  const decoy = createServer();
  const app = next({
    dev: config.development,
    dir: join(config.home, 'apps/web'),
    hostname: config.host,
    port: config.port,
    httpServer: decoy,
    quiet: !config.development,
  });
  await app.prepare();
  const render = app.getRequestHandler();
  return {
    render: (request, response) => render(request, response),
    upgrade: (request, socket, head) => void decoy.emit('upgrade', request, socket, head),
    close: () => app.close(),
  };
}
