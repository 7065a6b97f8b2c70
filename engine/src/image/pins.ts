// Counts who needs a thing right now: what is pinned is not collected, though nothing on disk refers to it yet.

export class Pins {
  readonly #counts = new Map<string, number>();

  has(key: string): boolean {
    return this.#counts.has(key);
  }

  /** Pins all of these at once; call the result once to let go. */
  pin(keys: Iterable<string>): () => void {
    let mine: string[] = [...keys];
    for (const key of mine) this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    return () => {
      for (const key of mine) {
        const count = (this.#counts.get(key) ?? 0) - 1;
        if (count > 0) this.#counts.set(key, count);
        else this.#counts.delete(key);
      }
      mine = [];
    };
  }
}
