// One browser tab that follows one terminal: bytes out under flow control, keys in at once. Survives the engine: when the
// stream breaks it asks for the rest from where it was. Never holds more than the high-water mark.
import type { Duplex } from 'node:stream';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import type { EngineTerminalStream } from '../engine-client/terminal-stream.ts';
import { FlowWindow } from './flow-window.ts';
import { OutputCoalescer } from './output-coalescer.ts';

export interface ViewerParts {
  /** Follows the terminal from a position, or from the oldest byte kept. */
  open(from: number): Promise<EngineTerminalStream>;
  /** Has the shell ended? Throws not_found when the terminal itself is gone. */
  ended(): Promise<boolean>;
  send(offset: number, data: Buffer): void;
  /** The socket's own buffer is full (a browser that acknowledges what it never read). */
  congested(): boolean;
  /** The shell ended, or the terminal is gone: nothing more will come. */
  over(): void;
}

/** A browser that parses nothing for this long no longer holds the shell back: output goes by, and the browser is told of a jump later. */
const LAG_MS = 2000;
const MAX_PENDING_INPUT_BYTES = 4096;
const MAX_INPUT_BUFFER_BYTES = 2 ** 20;
const RETRY_MS = [0, 100, 250, 500, 1000, 2000];

export class Viewer {
  readonly #parts: ViewerParts;
  readonly #window: FlowWindow;
  readonly #output: OutputCoalescer;
  readonly #stream: EngineTerminalStream;
  #duplex: Duplex | null = null;
  #sent: number;
  /** Output goes by unread since the browser lags; the window stands where it did. */
  #letBy = false;
  #lagTimer: NodeJS.Timeout | null = null;
  #input: Buffer[] = [];
  #closed = false;
  /** The shell has ended; what is read now is its last output. */
  #ended = false;
  /** Attempts to follow since the last byte came. */
  #attempts = 0;

  /** `from`: what the browser has already. Nothing is sent before `start`. */
  constructor(parts: ViewerParts, from: number, stream: EngineTerminalStream) {
    this.#parts = parts;
    this.#stream = stream;
    this.#window = new FlowWindow(Math.min(from, stream.offset));
    this.#sent = this.#window.position;
    this.#output = new OutputCoalescer((data) => this.#emit(data));
  }

  /** Position of the first byte that will be sent. */
  get firstOffset(): number {
    return this.#stream.offset;
  }

  start(): void {
    if (this.#closed) this.#stream.duplex.destroy();
    else this.#follow(this.#stream);
  }

  /** Types into the terminal, now; a little is kept while the engine is away. */
  input(data: Buffer): void {
    if (this.#duplex === null) {
      if (this.#input.reduce((bytes, { length }) => bytes + length, data.length) <= MAX_PENDING_INPUT_BYTES)
        this.#input.push(data);
    } else if (this.#duplex.writableLength + data.length <= MAX_INPUT_BUFFER_BYTES) this.#duplex.write(data);
  }

  acknowledge(offset: number): void {
    this.#window.acknowledge(offset);
    this.reconsider();
  }

  /** To be called when the socket's buffer has drained. */
  reconsider(): void {
    if (this.#closed || this.#duplex === null) return;
    if (this.#window.mustRest(this.#parts.congested())) {
      if (!this.#letBy) this.#rest(this.#duplex);
    } else if (this.#letBy) this.#catchUp();
    else {
      this.#clearLag();
      this.#duplex.resume();
    }
  }

  close(): void {
    this.#closed = true;
    this.#clearLag();
    this.#output.drop();
    this.#duplex?.destroy();
    this.#duplex = null;
  }

  #follow({ offset, duplex }: EngineTerminalStream): void {
    this.#duplex = duplex;
    this.#letBy = false;
    this.#passOver(offset);
    for (const data of this.#input.splice(0)) duplex.write(data);
    duplex.on('data', (chunk: Buffer) => {
      if (this.#letBy || this.#duplex !== duplex) return;
      this.#attempts = 0;
      this.#window.read(chunk.length);
      this.#output.push(chunk);
      this.reconsider();
    });
    duplex.once('close', () => {
      if (this.#duplex !== duplex) return;
      this.#duplex = null;
      this.#clearLag();
      if (this.#ended) this.#finish();
      else void this.#resume();
    });
  }

  /** The stream broke off: the shell ended, or the engine did. Asks until it is clear which. */
  async #resume(): Promise<void> {
    this.#output.flush();
    for (;;) {
      const wait = RETRY_MS[Math.min(this.#attempts, RETRY_MS.length - 1)] ?? 0;
      this.#attempts += 1;
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      if (this.#closed) return;
      try {
        const ended = await this.#parts.ended();
        const stream = await this.#parts.open(this.#window.position);
        this.#ended = ended;
        if (this.#closed) stream.duplex.destroy();
        else this.#follow(stream);
        return;
      } catch (error) {
        if (error instanceof EngineError && error.kind === 'not_found') return this.#finish();
      }
    }
  }

  #finish(): void {
    if (this.#closed) return;
    this.#output.flush();
    this.close();
    this.#parts.over();
  }

  #rest(duplex: Duplex): void {
    duplex.pause();
    this.#lagTimer ??= setTimeout(() => {
      this.#lagTimer = null;
      this.#letBy = true;
      this.#output.flush();
      duplex.resume();
    }, LAG_MS);
  }

  /** The browser is back: once more from where it stopped. */
  #catchUp(): void {
    const old = this.#duplex;
    this.#duplex = null;
    old?.destroy();
    void this.#resume();
  }

  #clearLag(): void {
    if (this.#lagTimer) clearTimeout(this.#lagTimer);
    this.#lagTimer = null;
  }

  /** What the engine no longer has is passed over: the browser sees the jump in positions, and says it. */
  #passOver(offset: number): void {
    this.#output.flush();
    if (offset <= this.#window.position) return;
    this.#window.skipTo(offset);
    this.#sent = offset;
  }

  #emit(data: Buffer): void {
    const offset = this.#sent;
    this.#sent += data.length;
    this.#parts.send(offset, data);
  }
}
