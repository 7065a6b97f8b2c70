// Requests that ask for another protocol: Node hands them over as bare sockets. Finds who answers, refuses in the form of
// every other error, and ends what is open when the server closes, which knows nothing of these connections any more.
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';
import { errorAnswer } from './http-status.ts';

/** Answers a request it knows and serves its socket; null for any other. */
export type Upgrade = (request: IncomingMessage, url: URL) => ((socket: Duplex, head: Buffer) => Promise<void>) | null;

function refuse(socket: Duplex, error: unknown): void {
  const { status, kind, message } = errorAnswer(error);
  const body = JSON.stringify({ message, kind });
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`;
  socket.end(`${head}\r\n\r\n${body}`, () => socket.destroy());
}

function answerOf(upgrades: readonly Upgrade[], request: IncomingMessage): ReturnType<Upgrade> {
  const path = request.url ?? '/';
  if (!URL.canParse(path, 'http://engine')) return null;
  const url = new URL(path, 'http://engine');
  for (const upgrade of upgrades) {
    const answer = upgrade(request, url);
    if (answer) return answer;
  }
  return null;
}

/** Serves upgrades on a server. What it returns ends every upgraded connection. An answer that throws has written nothing yet. */
export function serveUpgrades(server: Server, upgrades: readonly Upgrade[]): () => void {
  const open = new Set<Duplex>();
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    const serve = async () => {
      const answer = answerOf(upgrades, request);
      if (!answer)
        throw new EngineError(
          'not_found',
          `Cannot upgrade "${(request.url ?? '').slice(0, 200)}" to ${request.headers.upgrade}: it is no stream`,
        );
      await answer(socket, head);
    };
    serve().catch((error: unknown) => refuse(socket, error));
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}
