// HTTP over the engine's lab.sock: one JSON request and its answer, with a time limit. Knows no route.
import { Agent, request as httpRequest, type ClientRequest, type IncomingMessage } from 'node:http';
import { EngineError, type ErrorKind } from '@drydock/engine/model/engine-error.ts';
import { errorSchema } from '@drydock/engine/api/lab/schemas.ts';

/** The engine can't be reached, or went away while it was asked. What was asked may be asked again once it is back. */
export class EngineAbsentError extends Error {
  override readonly name = 'EngineAbsentError';
  /** 'absent': nobody listens. 'forbidden': this process may not use the socket. 'lost': it went away or hangs. */
  readonly reason: 'absent' | 'forbidden' | 'lost';
  readonly socketPath: string;
  constructor(socketPath: string, reason: EngineAbsentError['reason'], cause: unknown) {
    super(`Cannot reach the engine at "${socketPath}": ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
    this.reason = reason;
    this.socketPath = socketPath;
  }
}

export interface Ask {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
  timeoutMs?: number;
}

/** The largest JSON answer: a 1 MiB file with every character escaped. */
const MAX_ANSWER_BYTES = 16 * 2 ** 20;
const TIMEOUT_MS = 15_000;

export class EngineHttp {
  readonly socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 8, timeout: 60_000 });
  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  /** Asks and waits; the parsed JSON, or undefined for 204. Throws EngineError as the engine said it, or EngineAbsentError. */
  async ask(ask: Ask): Promise<unknown> {
    const response = await this.open(ask);
    const chunks: Buffer[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response) {
        // SAFETY: an IncomingMessage without an encoding yields Buffers.
        const buffer: Buffer = chunk;
        bytes += buffer.length;
        if (bytes > MAX_ANSWER_BYTES) throw new EngineError('internal', 'Cannot read the engine’s answer: too long');
        chunks.push(buffer);
      }
    } catch (cause) {
      response.destroy();
      throw cause instanceof EngineError ? cause : new EngineAbsentError(this.socketPath, 'lost', cause);
    }
    const text = Buffer.concat(chunks).toString('utf8');
    const status = response.statusCode ?? 0;
    if (status >= 400) throw errorOf(status, text);
    return text === '' ? undefined : JSON.parse(text);
  }

  /** The answer with its body unread: for streams. Refusals are thrown by `ask` only. */
  async open(ask: Ask): Promise<IncomingMessage> {
    try {
      return await this.#send(ask);
    } catch (error) {
      // A kept connection that the engine closed in the meantime (it was restarted): the request was never read.
      if (error instanceof StaleConnection) return this.#send(ask);
      throw error;
    }
  }

  /** Opens a connection that leaves HTTP after its 101. */
  upgrade(path: string, protocol: string): ClientRequest {
    return httpRequest({
      socketPath: this.socketPath,
      path,
      agent: false,
      headers: { Host: 'lab', Connection: 'Upgrade', Upgrade: protocol },
    });
  }

  /** What a failed connection means. */
  absent(cause: unknown): EngineAbsentError {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reason =
      code === 'ENOENT' || code === 'ECONNREFUSED'
        ? 'absent'
        : code === 'EACCES' || code === 'EPERM'
          ? 'forbidden'
          : 'lost';
    return new EngineAbsentError(this.socketPath, reason, cause);
  }

  close(): void {
    this.#agent.destroy();
  }

  #send({ method, path, body, timeoutMs = TIMEOUT_MS }: Ask): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
      const headers = payload && { 'Content-Type': 'application/json', 'Content-Length': payload.length };
      const request = httpRequest({
        socketPath: this.socketPath,
        method,
        path,
        agent: this.#agent,
        headers: { Host: 'lab', ...headers },
      });
      const timer = setTimeout(
        () => request.destroy(new Error(`no answer to ${method} ${path} within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      request.once('response', (response) => {
        clearTimeout(timer);
        resolve(response);
      });
      request.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        if (request.reusedSocket && error.code === 'ECONNRESET') reject(new StaleConnection());
        else reject(this.absent(error));
      });
      request.end(payload);
    });
  }
}

class StaleConnection extends Error {}

/** The engine's own sentence, with its kind. */
export function errorOf(status: number, text: string): EngineError {
  const parsed = errorSchema.safeParse(parseJson(text));
  if (!parsed.success) return new EngineError('internal', `The engine answered ${status}`);
  return new EngineError(kindOf(parsed.data.kind), parsed.data.message);
}

const KINDS: readonly ErrorKind[] = [
  'not_found',
  'invalid_argument',
  'conflict',
  'not_modified',
  'permission_denied',
  'not_implemented',
  'unavailable',
  'internal',
];
const kindOf = (kind: string): ErrorKind => KINDS.find((known) => known === kind) ?? 'internal';

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
