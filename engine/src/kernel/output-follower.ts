// One reader of a kept process's output, with an offset of its own. It reads only what its consumer asks for, so a slow
// consumer holds the keeper back (through the limit) instead of filling memory.
import { Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';
import { type KeeperRecord, keptFrom } from '../model/keeper-record.ts';
import { blockAfter } from '../model/output-chunks.ts';

export interface OutputSource {
  record(): KeeperRecord;
  readonly isOver: boolean;
  /** Reads bytes of the output file at a file offset. */
  readOutput(into: Uint8Array, at: number): number;
  /** A follower has read on. */
  moved(): void;
}

const READ_BYTES = 65_536;

export class OutputFollower extends Readable {
  /** Position of the first byte that will be read. */
  readonly offset: number;
  #holds: boolean;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #source: OutputSource;
  readonly #left: () => void;
  #position: number;
  #isAsked = false;

  constructor(
    source: OutputSource,
    start: { from: number; holds: boolean; patienceMs?: number | undefined },
    left: () => void,
  ) {
    super({ highWaterMark: READ_BYTES });
    const record = source.record();
    this.#source = source;
    this.#left = left;
    // Not the very oldest byte: the keeper goes on writing until it is told of this follower's limit.
    const oldest = keptFrom(record);
    const first = oldest === 0 ? 0 : oldest + record.ringBytes / 8; // of an appended output: the very oldest
    this.#holds = start.holds || record.ringBytes > 0;
    this.#position = Math.min(Math.max(start.from, first), record.writtenBytes);
    this.offset = this.#position;
    if (start.patienceMs !== undefined && record.ringBytes === 0 && record.keepBytes > 0)
      this.#timer = setInterval(this.#impatient(), start.patienceMs).unref();
  }

  /** Whether the process waits for it. */
  get holds(): boolean {
    return this.#holds;
  }

  #impatient(): () => void {
    let before = -1;
    return () => {
      const { writtenBytes, limit } = this.#source.record();
      const isHeld = writtenBytes >= limit && this.#position < writtenBytes;
      if (isHeld && this.#position === before) {
        this.#holds = false;
        clearInterval(this.#timer);
        this.#source.moved();
      }
      before = isHeld ? this.#position : -1;
    };
  }

  /** Position of the next byte that will be read. */
  get position(): number {
    return this.#position;
  }

  /** There may be more than before. */
  look(): void {
    if (this.#isAsked) this._read();
  }

  override _read(): void {
    // The end is asked for first: what is written after it was asked is then not missed.
    const isOver = this.#source.isOver;
    const record = this.#source.record();
    if (!this.#holds) this.#position = Math.max(this.#position, keptFrom(record));
    const available = record.writtenBytes - this.#position;
    if (available <= 0) {
      this.#isAsked = !isOver;
      if (isOver) this.push(null);
      return;
    }
    const ring = record.ringBytes;
    const at = ring === 0 ? this.#position : this.#position % ring;
    // Never across the end of a block: so what is read are whole chunks.
    const length = Math.min(READ_BYTES, available, (ring === 0 ? blockAfter(at) : ring) - at);
    const bytes = Buffer.allocUnsafeSlow(length);
    const count = this.#source.readOutput(bytes, at);
    // Looked at again after reading: what the keeper wrote over meanwhile must not pass as output.
    if (keptFrom(this.#source.record()) > this.#position) {
      if (!this.#holds) return this._read();
      this.destroy(new EngineError('unavailable', 'Cannot go on reading output: newer output took its place'));
      return;
    }
    this.#position += count;
    this.#isAsked = false;
    this.#source.moved();
    this.push(bytes.subarray(0, count));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#isAsked = false;
    clearInterval(this.#timer);
    this.#left();
    callback(error);
  }
}
