// The connections that attach and exec take out of HTTP: the answer's head, then a process's streams both ways. With
// "Upgrade: tcp" the answer is 101 and the socket comes as Node's upgrade event hands it over; without it is 200, and the
// socket is taken from under Node's parser. A client's FIN ends its input, never the connection: that ends with the process.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Session } from '../../container/session.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { Upgrade } from '../upgrades.ts';
import { frames, MULTIPLEXED_STREAM, RAW_STREAM } from './stream-frames.ts';
import { requestedMinor, withoutVersion } from './version-prefix.ts';

export interface HijackRequest {
  /** Of the object that the path names. */
  readonly id: string;
  readonly query: Readonly<Record<string, string>>;
  /** A parsed JSON body; undefined when there is none. */
  readonly body: unknown;
}

export interface Hijacked {
  /** Whether the client takes it for a terminal's: then nothing is framed. */
  readonly terminal: boolean;
  /** More lines of a 101's head. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Called once the head is written: what fails now is told in the stream. */
  open(): Session;
}

export interface HijackRoute {
  /** With ":id" in it. */
  readonly url: string;
  /** Errors are answered as any route's. null: the answer is 200, and nothing is hijacked. */
  serve(request: HijackRequest): Promise<Hijacked | null> | Hijacked | null;
}

/** How much of what was written to a socket the other end has yet to read. */
export type Unread = (fd: number) => number;

const MOST_BODY_BYTES = 2 ** 20;
/** From this version on clients are told whether the stream is framed. */
const FIRST_TO_NAME_FRAMES = 42;
/** docker-py takes the socket from under its buffered reader once it has seen the head: what was read along with it is lost.
 * So output waits until the head has been read, for so long at most. */
const HEAD_READ_MS = 100;
/** How long a client may go on sending after it was told the end. */
const LINGER_MS = 2_000;

/** Adds the routes for clients that do not ask for an upgrade. */
export function hijackRoutes(app: FastifyInstance, routes: readonly HijackRoute[], unread: Unread): void {
  for (const route of routes)
    app.post<{ Params: { id: string } }>(route.url, async (request, reply) => {
      const hijacked = await route.serve({
        id: request.params.id,
        query: firstValues(request),
        body: isStream(request.body) ? undefined : request.body,
      });
      if (!hijacked) return reply.status(200).send();
      reply.hijack();
      const socket = takeOver(request.raw);
      socket.write(`HTTP/1.1 200 OK\r\nContent-Type: ${RAW_STREAM}\r\n\r\n`);
      await carry(socket, hijacked.open(), { isFramed: !hijacked.terminal, unread });
      return reply;
    });
}

const isStream = (body: unknown): boolean => typeof body === 'object' && body !== null && 'pipe' in body;

function firstValues(request: FastifyRequest): Record<string, string> {
  const entries = Object.entries(request.query as Record<string, string | string[]>);
  return Object.fromEntries(entries.map(([key, value]) => [key, Array.isArray(value) ? (value[0] ?? '') : value]));
}

/** Answers the routes' upgrades. */
export function hijackUpgrade(routes: readonly HijackRoute[], unread: Unread): Upgrade {
  const patterns = routes.map((route) => ({ route, pattern: new RegExp(`^${route.url.replace(':id', '([^/]+)')}$`) }));
  return (request, url) => {
    const path = withoutVersion(url.pathname);
    for (const { route, pattern } of patterns) {
      const id = pattern.exec(path)?.[1];
      if (id === undefined || request.method !== 'POST') continue;
      return async (socket, head) => {
        const body = await readBody(request, socket, head);
        const query = Object.fromEntries([...url.searchParams].toReversed()); // of a repeated key the first counts
        const hijacked = await route.serve({ id: decoded(id), query, body });
        if (!hijacked) {
          socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
          return;
        }
        // By itself: docker-py reads what follows under its buffered reader.
        socket.write(upgradedHead(url.pathname, hijacked));
        await carry(socket, hijacked.open(), { isFramed: !hijacked.terminal, unread });
      };
    }
    return null;
  };
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // no object has such a name: it will not be found
  }
}

function upgradedHead(path: string, { terminal, headers = {} }: Hijacked): string {
  const isNamed = !terminal && requestedMinor(path) >= FIRST_TO_NAME_FRAMES;
  const lines = [
    'HTTP/1.1 101 UPGRADED',
    `Content-Type: ${isNamed ? MULTIPLEXED_STREAM : RAW_STREAM}`,
    'Connection: Upgrade',
    'Upgrade: tcp',
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** The body that Node leaves in front of the stream: exactly its length is taken, what follows is the client's input. */
async function readBody(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<unknown> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > MOST_BODY_BYTES)
    throw new EngineError('invalid_argument', `Cannot read body: it is longer than ${MOST_BODY_BYTES} bytes`);
  let bytes = head;
  if (bytes.length < length)
    for await (const part of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes = Buffer.concat([bytes, part]);
      if (bytes.length >= length) break;
    }
  if (bytes.length < length) throw new EngineError('invalid_argument', 'Cannot read body: it ends too early');
  if (bytes.length > length) socket.unshift(bytes.subarray(length));
  const text = bytes.subarray(0, length).toString();
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new EngineError('invalid_argument', `invalid JSON: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Takes a request's socket out of the hands of Node's parser, as its own upgrade does. From the next reader on, which must
 * come in the same turn, it is a bare socket; a pause in between would stop it for good.
 */
function takeOver(request: IncomingMessage): Duplex {
  const { socket } = request;
  for (const event of ['data', 'end', 'drain', 'error', 'timeout'] as const)
    for (const listener of socket.listeners(event)) socket.removeListener(event, listener as () => void);
  socket.on('error', () => socket.destroy());
  return socket;
}

/** Carries a session over its socket to its end. Never throws: there is nobody left to tell but the client. */
export async function carry(
  socket: Duplex,
  session: Session,
  { isFramed, unread }: { readonly isFramed: boolean; readonly unread: Unread },
): Promise<void> {
  socket.once('close', () => session.leave());
  if (socket.destroyed) session.leave();
  const input = feed(socket, session);
  let isHeadRead = false;
  try {
    for await (const pieces of session.output()) {
      if (!isHeadRead) isHeadRead = await headRead(socket, unread);
      const bytes = isFramed ? frames(pieces) : Buffer.concat(pieces.map((piece) => piece.bytes));
      // The client reads slowly: so do we. The process waits only where its output is not kept.
      if (!socket.write(bytes)) await drained(socket);
      if (socket.destroyed) break;
    }
  } catch (error) {
    const said = `${error instanceof Error ? error.message : String(error)}\r\n`;
    const piece = { stream: 'stdout' as const, bytes: Buffer.from(said) };
    if (!isHeadRead) await headRead(socket, unread);
    socket.write(isFramed ? frames([piece]) : piece.bytes);
  } finally {
    session.leave();
  }
  closeSoon(socket);
  await input;
}

/** Resolves when the client has taken what was written so far. */
async function headRead(socket: Duplex, unread: Unread): Promise<true> {
  const { fd } = (socket as { _handle?: { fd?: number } })._handle ?? {}; // Node has no other way to tell
  if (fd === undefined) return true;
  for (let ms = 0; ms < HEAD_READ_MS && !socket.destroyed && unread(fd) > 0; ms++)
    await new Promise((resolve) => setTimeout(resolve, 1));
  return true;
}

function drained(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const done = () => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}

async function feed(socket: Duplex, { input }: Session): Promise<void> {
  try {
    // The socket stays open when its readable side ends: that is only the end of the input.
    for await (const bytes of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
      await input?.write(bytes).catch(() => undefined); // the process does not read any more
  } catch {
    // The connection broke: its input ends here as well.
  }
  await input?.end().catch(() => undefined);
}

/** Tells the end after what was written; a client that does not go by itself is let go of. */
function closeSoon(socket: Duplex): void {
  if (socket.destroyed) return;
  socket.end();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('close', () => clearTimeout(timer));
}
