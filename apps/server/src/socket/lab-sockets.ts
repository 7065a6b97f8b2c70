// socket.io on one path: redeems tickets, checks every payload, answers every request with {ok} or a sentence. Host,
// Origin and session were checked before a socket comes here (http/lab-http.ts).
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { Server, type Socket } from 'socket.io';
import { messages, requests, type Answer, type MessageName, type RequestName } from '@drydock/protocol/events.ts';
import { SOCKET_PATH } from '@drydock/protocol/session.ts';
import type { EngineClient } from '../engine-client/engine-client.ts';
import type { Tickets } from '../http/tickets.ts';
import type { LearnerLab } from '../learner/learner-lab.ts';
import type { LearnersHere } from '../learner/learners-here.ts';
import type { Reply, Tab } from '../learner/tab.ts';
import { languageOf, say, sentenceOf } from '../messages/messages.ts';
import { RateLimit } from './rate-limit.ts';
import { handlers, type Asking } from './requests.ts';

export interface SocketParts {
  engine: EngineClient;
  learners: LearnersHere;
  tickets: Tickets;
  /** The session cookie of a request, as http/ reads it. */
  sessionOf(request: IncomingMessage): string | undefined;
  log: Logger;
}

export interface LabSockets {
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  close(): Promise<void>;
}

/** A saved file of 1 MiB, escaped as JSON; anything larger ends the connection. */
const MAX_MESSAGE_BYTES = 4 * 2 ** 20;
/** Packets that wait in a socket for a browser that does not read: 64 kB each. */
const CONGESTED_PACKETS = 64;
const CONNECT_TIMEOUT_MS = 10_000;

export function openLabSockets(parts: SocketParts): LabSockets {
  const io = new Server({
    path: SOCKET_PATH,
    transports: ['websocket'],
    serveClient: false,
    destroyUpgrade: false,
    perMessageDeflate: false,
    httpCompression: false,
    maxHttpBufferSize: MAX_MESSAGE_BYTES,
    connectTimeout: CONNECT_TIMEOUT_MS,
    pingInterval: 10_000,
    pingTimeout: 10_000,
  });
  // Its own listeners go to a server that never listens: upgrades come through `take`, after they were judged.
  io.attach(createServer());
  io.use((socket, next) => {
    const language = languageOf(socket.request.headers);
    const session = parts.sessionOf(socket.request);
    const learner = session === undefined ? null : parts.tickets.redeem(socket.handshake.auth['ticket'], session);
    if (learner === null) {
      next(Object.assign(new Error(say(language, 'ticketRefused')), { data: { status: 403 } }));
      return;
    }
    serve(parts, socket, parts.learners.of(learner));
    next();
  });
  return {
    take: (request, socket, head) => {
      io.engine.handleUpgrade(request, socket, head);
    },
    close: async () => {
      await io.close();
    },
  };
}

function serve(parts: SocketParts, socket: Socket, lab: LearnerLab): void {
  // engine.io tells of each packet it queues, and of each batch that it hands to the transport.
  let waiting = 0;
  const queued = (): void => void (waiting += 1);
  const flushed = (batch: unknown[]): void => void (waiting = Math.max(0, waiting - batch.length));
  socket.conn.on('packetCreate', queued);
  socket.conn.on('flush', flushed);
  const tab: Tab = {
    id: socket.id,
    language: languageOf(socket.request.headers),
    emit: (name, ...payload) => void socket.emit(name, ...payload),
    congested: () => waiting > CONGESTED_PACKETS,
  };
  const flood = new RateLimit({ burst: 60, everyMs: 50 });

  const answer = async (name: RequestName, payload: unknown, send: unknown): Promise<void> => {
    if (typeof send !== 'function') return;
    const acknowledge = (value: Answer<unknown>): void => void send(value);
    try {
      const waitMs = flood.take();
      if (waitMs > 0) return acknowledge({ error: say(tab.language, 'tooFast', { seconds: 1 }) });
      const checked = requests[name].safeParse(payload);
      if (!checked.success) {
        const detail = checked.error.issues[0]?.path.join('.') || name;
        return acknowledge({ error: say(tab.language, 'badRequest', { detail }) });
      }
      // SAFETY: handlers[name] takes what requests[name] has checked; TypeScript does not follow the pairing.
      const handler = handlers[name] as (asking: Asking, payload: unknown) => Promise<Reply<unknown>>;
      const reply = await handler({ tab, lab, engine: parts.engine }, checked.data);
      acknowledge({ ok: reply.value() });
      reply.after?.();
    } catch (error) {
      const sentence = sentenceOf(error, tab.language);
      if (sentence === null) parts.log.error({ error, request: name }, 'request failed');
      acknowledge({ error: sentence ?? say(tab.language, 'internal') });
    }
  };
  // SAFETY: the keys of an object literal that nothing was added to.
  for (const name of Object.keys(requests) as RequestName[])
    socket.on(name, (payload: unknown, send: unknown) => void answer(name, payload, send));

  const hear = <N extends MessageName>(
    name: N,
    act: (payload: ReturnType<(typeof messages)[N]['parse']>) => void,
  ): void => {
    socket.on<string>(name, (payload: unknown) => {
      const checked = messages[name].safeParse(payload);
      // SAFETY: parsed by the schema whose output type is asked for.
      if (checked.success) act(checked.data as ReturnType<(typeof messages)[N]['parse']>);
    });
  };
  hear('terminal:input', ({ terminal, data }) => lab.terminals.input(tab, terminal, data));
  hear('terminal:ack', ({ terminal, offset }) => lab.terminals.acknowledge(tab, terminal, offset));
  hear('terminal:size', ({ terminal, cols, rows }) => {
    void lab.terminals.resize(terminal, { cols, rows }).catch(() => undefined);
  });

  const drained = (): void => lab.terminals.drained(tab);
  socket.conn.on('drain', drained);
  lab.join(tab);
  socket.on('disconnect', () => {
    socket.conn.off('drain', drained);
    socket.conn.off('packetCreate', queued);
    socket.conn.off('flush', flushed);
    lab.leave(tab).catch((error: unknown) => parts.log.error({ error }, 'a tab left, and the lease was not saved'));
  });
}
