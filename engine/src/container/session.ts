// One client's connection to the streams of a process: output as it comes, input as it is typed, the keys that detach.
// Knows nothing of HTTP: api/docker/hijack.ts carries it.
import type { Readable } from 'node:stream';
import type { FollowOptions, Kept } from '../kernel/kernel.ts';
import { DetachWatch } from '../model/detach-keys.ts';
import { readChunks } from '../model/output-chunks.ts';

export interface OutputPiece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Uint8Array;
}

export interface Session {
  /** With a terminal output has one stream, which is not framed. */
  readonly terminal: boolean;
  /** To be read once. Ends with the process, whose exit code is known then, or when the client has left. */
  output(): AsyncIterable<readonly OutputPiece[]>;
  /** null: stdin is not the client's. */
  readonly input: SessionInput | null;
  /** The client is gone or has seen enough: the process goes on. */
  leave(): void;
}

export interface SessionInput {
  /** Resolves when the process's end has room for more. */
  write(bytes: Uint8Array): Promise<void>;
  /** The client sends no more. */
  end(): Promise<void>;
}

export interface SessionOptions {
  readonly terminal: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly detachKeys: Uint8Array;
  /** The end of the client's input is the end of the process's; else the client is taken to have left. */
  readonly closesStdin: boolean;
  /** The keys came. */
  readonly onDetach: () => void;
  /** What comes before the process's own output. */
  readonly replay?: AsyncIterable<readonly OutputPiece[]>;
}

/** The pieces of what follow() gives at once: whole chunks, or a terminal's bytes. */
export function piecesOf(
  kept: Kept,
  bytes: Uint8Array,
  wanted: (stream: OutputPiece['stream']) => boolean,
): OutputPiece[] {
  if (kept.form === 'raw') return wanted('stdout') ? [{ stream: 'stdout', bytes }] : [];
  return readChunks(bytes).chunks.flatMap(({ stream, bytes: piece }) =>
    stream !== 'begin' && wanted(stream) ? [{ stream, bytes: piece }] : [],
  );
}

export class ProcessSession implements Session {
  readonly terminal: boolean;
  readonly input: SessionInput | null;
  readonly #options: SessionOptions;
  readonly #begun: Promise<{ readonly kept: Kept; readonly stream: Readable } | null>;
  #settle: (begun: { kept: Kept; stream: Readable } | null) => void = () => undefined;
  #refuse: (why: unknown) => void = () => undefined;
  #stream: Readable | null = null;
  #hasLeft = false;
  #onLeave: () => void = () => undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.terminal = options.terminal;
    this.#begun = new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#refuse = reject;
    });
    this.#begun.catch(() => undefined); // output() tells it
    this.input = options.stdin ? this.#makeInput() : null;
  }

  /** The process is there. `from`: position in its output; default: its beginning. */
  begin(kept: Kept, from?: number, options?: FollowOptions): void {
    if (this.#hasLeft || this.#stream) return;
    this.#stream = kept.follow(from, options).stream;
    this.#settle({ kept, stream: this.#stream });
  }

  /** There will be no process. */
  fail(why: unknown): void {
    this.#refuse(why);
  }

  /** What to do, once, when the client leaves before there is a process. */
  onLeave(stop: () => void): void {
    this.#onLeave = stop;
  }

  leave(): void {
    this.#hasLeft = true;
    this.#onLeave();
    this.#settle(null);
    this.#stream?.destroy();
  }

  async *output(): AsyncGenerator<readonly OutputPiece[]> {
    if (this.#options.replay) yield* this.#options.replay;
    const begun = await this.#begun;
    if (!begun) return;
    const wanted = (stream: OutputPiece['stream']) => this.#options[stream];
    try {
      for await (const bytes of begun.stream as AsyncIterable<Uint8Array>) {
        const pieces = piecesOf(begun.kept, bytes, wanted);
        if (pieces.length > 0) yield pieces;
      }
    } catch (error) {
      if (!this.#hasLeft) throw error; // it was we who destroyed the stream
    }
    if (!this.#hasLeft) await begun.kept.exit;
  }

  #makeInput(): SessionInput {
    const { terminal, detachKeys, closesStdin, onDetach } = this.#options;
    const watch = terminal ? new DetachWatch(detachKeys) : null;
    const send = async (bytes: Uint8Array) => {
      const begun = await this.#begun;
      if (bytes.length > 0) await begun?.kept.write(bytes);
    };
    return {
      write: async (bytes) => {
        if (!watch) return send(bytes);
        const { input, detached } = watch.take(bytes);
        await send(input);
        if (!detached || this.#hasLeft) return;
        onDetach();
        this.leave();
      },
      end: async () => {
        if (watch) await send(watch.rest());
        if (terminal || !closesStdin) return this.leave();
        const begun = await this.#begun;
        await begun?.kept.endInput();
      },
    };
  }
}
