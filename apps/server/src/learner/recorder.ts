// Gathers a step's observations into chunks for the recording. Each chunk opens with the whole state, so that any moment
// can be rebuilt from one of them. Bounded: by size, by time, and by dropping what can't be written.
import type { Observation, Snapshot } from '@drydock/engine/model/observed.ts';
import type { RecordingChunk } from '../repositories/recordings.ts';

const MAX_TEXT_BYTES = 256 * 2 ** 10;
const MAX_AGE_MS = 15_000;

export class Recorder {
  readonly #save: (chunk: RecordingChunk) => Promise<void>;
  #lines: string[] = [];
  #bytes = 0;
  #fromMs = 0;
  #toMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(save: (chunk: RecordingChunk) => Promise<void>) {
    this.#save = save;
  }

  /** An observation and the state it led to. */
  add(observation: Observation, state: Snapshot): void {
    const line = JSON.stringify(this.#lines.length === 0 ? state : observation);
    if (this.#lines.length === 0) {
      this.#fromMs = observation.atMs;
      this.#timer = setTimeout(() => void this.flush(), MAX_AGE_MS);
    }
    this.#lines.push(line);
    this.#bytes += line.length;
    this.#toMs = observation.atMs;
    if (this.#bytes >= MAX_TEXT_BYTES) void this.flush();
  }

  /** Writes what is gathered. Never throws: a recording that can't be kept does not stop the lesson. */
  async flush(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#lines.length === 0) return;
    const chunk = { fromMs: this.#fromMs, toMs: this.#toMs, lines: this.#lines };
    this.#lines = [];
    this.#bytes = 0;
    await this.#save(chunk).catch(() => undefined);
  }
}
