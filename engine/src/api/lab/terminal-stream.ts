// The hijacked connection of a terminal: after 101 the socket carries the terminal's bytes both ways.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../model/engine-error.ts';
import { errorAnswer } from '../http-status.ts';
import { parse } from './routes.ts';
import { ROUTES } from './route-table.ts';
import type { LabBackend, TerminalStream } from './schemas.ts';

const PATH = /^\/lab\/sandboxes\/([^/]+)\/terminals\/([^/]+)\/stream$/;

async function attach(lab: LabBackend, request: IncomingMessage): Promise<TerminalStream> {
  const url = new URL(request.url ?? '/', 'http://lab');
  const match = PATH.exec(url.pathname);
  if (!match || request.headers.upgrade !== 'drydock-terminal')
    throw new EngineError(
      'not_found',
      `Cannot upgrade "${url.pathname}": only a terminal's stream can be, to drydock-terminal`,
    );
  const params = parse('path', ROUTES.streamTerminal.params, { id: match[1], terminal: match[2] });
  const query = parse('query', ROUTES.streamTerminal.query, Object.fromEntries(url.searchParams));
  return lab.attachTerminal(params.id, params.terminal, query.from);
}

function refuse(socket: Duplex, error: unknown): void {
  const { status, kind, message } = errorAnswer(error);
  const body = JSON.stringify({ message, kind });
  const head = `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`${head}\r\n\r\n${body}`);
}

async function pump(socket: Duplex, head: Buffer, { offset, duplex }: TerminalStream): Promise<void> {
  const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: drydock-terminal\r\nDrydock-Offset: ${offset}`;
  socket.write(`${answer}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  // Output ends the socket. The client's end, after what it typed has arrived, ends only this stream, not the terminal:
  // a quiet terminal would else keep the connection of a client that is long gone.
  const input = pipeline(socket, duplex, { end: false }).then(
    () => void duplex.end(() => duplex.destroy()),
    () => undefined,
  );
  await pipeline(duplex, socket).catch(() => undefined);
  socket.destroy();
  await input;
}

/**
 * Answers `Upgrade: drydock-terminal` on a server's terminal routes; any other upgrade is refused with a sentence. What it
 * returns ends every stream: an upgraded connection is no longer the server's to close.
 */
export function serveTerminalStreams(server: Server, lab: LabBackend): () => void {
  const open = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    void attach(lab, request).then(
      (terminal) => pump(socket, head, terminal),
      (error: unknown) => refuse(socket, error),
    );
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}
