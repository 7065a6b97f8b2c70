// One who looks: a bounded queue of observations. Who is slow loses patches, never order: he gets a fresh snapshot.
import type { Observation, Snapshot } from '../model/observed.ts';

/** Some three seconds of a busy sandbox. */
const MAX_WAITING = 64;

export class Listener implements AsyncIterableIterator<Observation> {
  readonly #snapshot: () => Snapshot;
  readonly #left: () => void;
  #queue: Observation[] = [];
  #behind = false;
  #end: { error: Error | null } | null = null;
  #wake: (() => void) | null = null;

  /** `snapshot` gives the state as it is when called; `left` is called once, when nobody will read any more. */
  constructor(snapshot: () => Snapshot, left: () => void) {
    this.#snapshot = snapshot;
    this.#left = left;
  }
  push(observation: Observation): void {
    if (this.#end || this.#behind) return;
    this.#queue.push(observation);
    if (this.#queue.length > MAX_WAITING) {
      this.#queue = [];
      this.#behind = true;
    }
    this.#wake?.();
  }
  /** No more will come. What waits is still read; then the iteration ends, or throws. */
  end(error: Error | null = null): void {
    if (this.#end) return;
    this.#end = { error };
    this.#left();
    this.#wake?.();
  }
  async next(): Promise<IteratorResult<Observation>> {
    for (;;) {
      const first = this.#queue.shift();
      if (first) return { done: false, value: first };
      if (this.#behind) {
        this.#behind = false;
        return { done: false, value: this.#snapshot() };
      }
      if (this.#end) {
        const { error } = this.#end;
        this.#end = { error: null };
        if (error) throw error;
        return { done: true, value: undefined };
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#wake = null;
    }
  }
  return(): Promise<IteratorResult<Observation>> {
    this.#queue = [];
    this.#behind = false;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }
  [Symbol.asyncIterator](): this {
    return this;
  }
}
