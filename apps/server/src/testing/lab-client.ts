// For tests: a browser tab without a browser. Gets its page, ticket and socket as the web app does.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { io, type Socket } from 'socket.io-client';
import type { Answer, Answers, RequestName, RequestOf, ServerEvents } from '@drydock/protocol/events.ts';
import { CSRF_HEADER, SOCKET_PATH, TICKET_PATH } from '@drydock/protocol/session.ts';

export interface HttpAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  text: string;
}

/** One HTTP request, every header as given: fetch would not send a foreign Host or Origin. */
export function ask(
  address: string,
  path: string,
  {
    method = 'GET',
    headers = {},
    body = '',
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(new URL(path, address), { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString('utf8'),
        }),
      );
      response.once('error', reject);
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** What a page gave: its cookie and its CSRF token. */
export interface Browser {
  address: string;
  cookie: string;
  csrf: string;
}

/** Loads a page. */
export async function visit(address: string, language = 'en'): Promise<Browser> {
  const { headers, text } = await ask(address, '/');
  const session = (headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0]).join('; ');
  const csrf = /<meta name="drydock-csrf" content="([^"]+)"/.exec(text)?.[1] ?? '';
  return { address, cookie: `${session}; drydock-lang=${language}`, csrf };
}

export async function ticketFor({ address, cookie, csrf }: Browser): Promise<string> {
  const headers = { Cookie: cookie, Origin: address, [CSRF_HEADER]: csrf };
  const { status, text } = await ask(address, TICKET_PATH, { method: 'POST', headers });
  if (status !== 200) throw new Error(`no ticket: ${status} ${text}`);
  const { ticket }: { ticket: string } = JSON.parse(text);
  return ticket;
}

export class LabClient {
  readonly socket: Socket;
  readonly events: { name: string; payload: unknown[] }[] = [];
  #waiters: (() => void)[] = [];
  #screens = new Map<string, { text: string; offset: number; acknowledge: boolean }>();

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.onAny((name: string, ...payload: unknown[]) => {
      if (name !== 'terminal:data') this.events.push({ name, payload });
      for (const wake of this.#waiters.splice(0)) wake();
    });
    socket.on('terminal:data', (terminal: string, offset: number, data: Uint8Array) => {
      const screen = this.#screens.get(terminal) ?? { text: '', offset: 0, acknowledge: true };
      this.#screens.set(terminal, screen);
      screen.text = (screen.text + Buffer.from(data).toString('latin1')).slice(-200_000);
      screen.offset = offset + data.length;
      if (screen.acknowledge) socket.emit('terminal:ack', { terminal, offset: screen.offset });
    });
  }

  /** Connects as a page does, or with what a test wants to be different. */
  static async connect(
    browser: Browser,
    { ticket, headers }: { ticket?: string; headers?: Record<string, string> } = {},
  ): Promise<LabClient> {
    const socket = io(browser.address, {
      path: SOCKET_PATH,
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: headers ?? { Origin: browser.address, Cookie: browser.cookie },
      auth: { ticket: ticket ?? (await ticketFor(browser)) },
    });
    const client = new LabClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('connect_error', (error) => {
        socket.close();
        reject(error);
      });
    });
    return client;
  }

  /** The answer, or its sentence as an Error. */
  async request<N extends RequestName>(name: N, payload: RequestOf<N>): Promise<Answers[N]> {
    // SAFETY: the server answers in the shape the protocol names.
    const answer = (await this.socket.timeout(20_000).emitWithAck(name, payload)) as Answer<Answers[N]>;
    if ('error' in answer) throw new Error(answer.error);
    return answer.ok;
  }

  /** Follows a terminal and acknowledges what comes, unless told not to. */
  async attach(terminal: string, from = 0, acknowledge = true): Promise<number> {
    this.#screens.set(terminal, { text: '', offset: from, acknowledge });
    return (await this.request('terminal:attach', { terminal, from, cols: 80, rows: 24 })).offset;
  }

  type(terminal: string, data: string): void {
    this.socket.emit('terminal:input', { terminal, data: Buffer.from(data) });
  }

  screen(terminal: string): { text: string; offset: number } {
    return this.#screens.get(terminal) ?? { text: '', offset: 0 };
  }

  /** Waits until it holds; the limit only guards against hanging. */
  async until(what: string, holds: () => boolean, limitMs = 15_000): Promise<void> {
    const deadline = Date.now() + limitMs;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.#waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The payloads of one event, oldest first. */
  heard<N extends keyof ServerEvents>(name: N): Parameters<ServerEvents[N]>[] {
    // SAFETY: the server sends what the protocol names.
    return this.events
      .filter((event) => event.name === name)
      .map(({ payload }) => payload as Parameters<ServerEvents[N]>);
  }

  close(): void {
    this.socket.close();
  }
}
