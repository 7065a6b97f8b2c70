// The Docker API as the benchmark speaks it to every engine alike: one kept connection, no client library between.
import { Agent, request } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class ApiClient {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async call(method: string, path: string, body?: unknown, bytes?: Buffer): Promise<Answer> {
    const answer = await this.bytes(method, path, body, bytes);
    return { status: answer.status, text: answer.bytes.toString() };
  }

  /** Like `call`, for what is no text. */
  bytes(method: string, path: string, body?: unknown, bytes?: Buffer): Promise<{ status: number; bytes: Buffer }> {
    const content = bytes ?? (body === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(body)));
    const type = bytes ? 'application/x-tar' : 'application/json';
    const headers = { 'content-length': content.length, ...(content.length > 0 && { 'content-type': type }) };
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socketPath, method, path, headers, agent: this.#agent }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, bytes: Buffer.concat(parts) }));
        answer.on('error', reject);
      });
      call.on('error', reject);
      call.end(content);
    });
  }

  /** Like `call`; throws the engine's sentence on an error. An empty answer is null. */
  async demand<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.call(method, path, body);
    if (status >= 400) throw new Error(`${method} ${path}: ${status} ${text.trim()}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }

  /** Creates a container without a network and says its id. */
  async create(image: string, cmd: readonly string[]): Promise<string> {
    const body = { Image: image, Cmd: cmd, HostConfig: { NetworkMode: 'none' } };
    return (await this.demand<{ Id: string }>('POST', '/containers/create', body)).Id;
  }

  async start(id: string): Promise<void> {
    await this.demand('POST', `/containers/${id}/start`);
  }

  async remove(id: string): Promise<void> {
    await this.demand('DELETE', `/containers/${id}?force=1&v=1`);
  }

  /** Create, start, wait, remove. Throws where it did not exit 0. */
  async runToExit(image: string, cmd: readonly string[]): Promise<void> {
    const id = await this.create(image, cmd);
    await this.start(id);
    const { StatusCode } = await this.demand<{ StatusCode: number }>('POST', `/containers/${id}/wait`);
    await this.demand('DELETE', `/containers/${id}`);
    if (StatusCode !== 0) throw new Error(`The container exited with ${StatusCode}`);
  }

  /** Runs a program in a container to its end, output attached. Throws where it did not exit 0. */
  async exec(id: string, cmd: readonly string[]): Promise<void> {
    const body = { AttachStdout: true, AttachStderr: true, Cmd: cmd };
    const { Id } = await this.demand<{ Id: string }>('POST', `/containers/${id}/exec`, body);
    const { status, text } = await this.call('POST', `/exec/${Id}/start`, { Detach: false, Tty: false });
    if (status !== 200) throw new Error(`exec: ${status} ${text}`);
    const { ExitCode } = await this.demand<{ ExitCode: number }>('GET', `/exec/${Id}/json`);
    if (ExitCode !== 0) throw new Error(`The program exited with ${ExitCode}: ${text}`);
  }

  async load(tar: Buffer): Promise<void> {
    const { status, text } = await this.call('POST', '/images/load?quiet=1', undefined, tar);
    if (status !== 200 || text.includes('"error"')) throw new Error(`load: ${status} ${text.trim()}`);
  }

  close(): void {
    this.#agent.destroy();
  }
}
