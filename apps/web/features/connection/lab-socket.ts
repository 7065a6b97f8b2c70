// One socket to the lab server: a fresh single-use ticket before every connection, typed requests with an answer or a
// sentence, reconnection with growing pauses. Knows nothing of lessons; holds back no message and repeats none.
import type { Answer, Answers, MessageName, RequestName, RequestOf, ServerEvents } from '@drydock/protocol/events.ts';
import type { messages } from '@drydock/protocol/events.ts';
import { CSRF_HEADER, SOCKET_PATH, TICKET_PATH, type TicketAnswer } from '@drydock/protocol/session.ts';
import { io, type Socket } from 'socket.io-client';
import type { z } from 'zod';

const ANSWER_TIMEOUT_MS = 30_000;
const RETRY_MS = [250, 500, 1000, 2000, 4000] as const;

export type MessageOf<N extends MessageName> = z.infer<(typeof messages)[N]>;

export interface LabSocket {
  /** Resolves with the answer; rejects with an Error whose message is a sentence for the learner. */
  request<N extends RequestName>(name: N, payload: RequestOf<N>): Promise<Answers[N]>;
  /** Sends now or not at all: false when there is no connection. */
  send<N extends MessageName>(name: N, payload: MessageOf<N>): boolean;
  on<N extends keyof ServerEvents>(name: N, listener: ServerEvents[N]): void;
  close(): void;
}

export interface SocketWords {
  /** What is said when the server did not answer in time. */
  noAnswer: (seconds: number) => string;
}

interface Listeners {
  onConnect: () => void;
  /** reason: a sentence of the server's when it refused the ticket, else null. */
  onDisconnect: (reason: string | null) => void;
}

/** Opens the socket and keeps it open until close(). */
export function openLabSocket(words: SocketWords, listeners: Listeners): LabSocket {
  const socket: Socket = io({ path: SOCKET_PATH, transports: ['websocket'], autoConnect: false, reconnection: false });
  let closed = false;
  let tries = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const connect = async (): Promise<void> => {
    if (closed || socket.connected) return;
    try {
      socket.auth = { ticket: await newTicket() };
      if (!closed) socket.connect();
    } catch (error) {
      listeners.onDisconnect(error instanceof TicketRefused ? error.message : null);
      retry();
    }
  };
  const retry = (): void => {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(() => void connect(), RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
    tries += 1;
  };
  const atOnce = (): void => {
    tries = 0;
    if (!socket.connected && !socket.active) retry();
  };
  socket.on('connect', () => {
    tries = 0;
    listeners.onConnect();
  });
  socket.on('disconnect', () => {
    if (closed) return;
    listeners.onDisconnect(null);
    retry();
  });
  socket.on('connect_error', (error) => {
    // Without a `data` it is the transport; with one the server has refused and says why.
    listeners.onDisconnect('data' in error ? error.message : null);
    retry();
  });
  window.addEventListener('online', atOnce);
  void connect();

  return {
    request: <N extends RequestName>(name: N, payload: RequestOf<N>) =>
      new Promise<Answers[N]>((resolve, reject) => {
        if (!socket.connected) return reject(new Error(words.noAnswer(0)));
        socket.timeout(ANSWER_TIMEOUT_MS).emit(name, payload, (timeout: Error | null, answer: Answer<Answers[N]>) => {
          if (timeout) reject(new Error(words.noAnswer(ANSWER_TIMEOUT_MS / 1000)));
          else if ('error' in answer) reject(new Error(answer.error));
          else resolve(answer.ok);
        });
      }),
    send: (name, payload) => {
      if (!socket.connected) return false;
      socket.emit(name, payload);
      return true;
    },
    on: (name, listener) => {
      // socket.io types its events per socket; the names and shapes are ours and checked above.
      socket.on<string>(name, listener as (...parts: unknown[]) => void);
    },
    close: () => {
      closed = true;
      clearTimeout(timer);
      window.removeEventListener('online', atOnce);
      socket.disconnect();
    },
  };
}

/** The server's own words on why it gives no ticket. */
class TicketRefused extends Error {}

async function newTicket(): Promise<string> {
  const token = document.querySelector<HTMLMetaElement>('meta[name="drydock-csrf"]')?.content ?? '';
  const response = await fetch(TICKET_PATH, { method: 'POST', headers: { [CSRF_HEADER]: token } });
  if (response.status >= 400 && response.status < 500) throw new TicketRefused((await response.text()).trim());
  if (!response.ok) throw new Error(`No ticket: the lab server answered ${response.status}`);
  return ((await response.json()) as TicketAnswer).ticket;
}
