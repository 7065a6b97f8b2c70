// Gathers a terminal's output for 4 ms or 64 kB, except the first after idle: a key's echo must not wait.

const WINDOW_MS = 4;
const MAX_BYTES = 64 * 2 ** 10;

export class OutputCoalescer {
  readonly #send: (data: Buffer) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(send: (data: Buffer) => void) {
    this.#send = send;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#timer === null || this.#bytes >= MAX_BYTES) this.flush();
    this.#timer ??= setTimeout(this.#windowOver, WINDOW_MS);
  }

  /** Sends what is gathered now. */
  flush(): void {
    if (this.#bytes === 0) return;
    const data = this.#chunks.length === 1 && this.#chunks[0] ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#bytes = 0;
    this.#send(data);
  }

  /** Forgets what is gathered. */
  drop(): void {
    this.#chunks = [];
    this.#bytes = 0;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  readonly #windowOver = (): void => {
    this.#timer = this.#bytes > 0 ? setTimeout(this.#windowOver, WINDOW_MS) : null;
    this.flush();
  };
}
