// Token buckets: how often one learner may ask for what costs much. Pure but for the clock that is passed in.

export interface Rate {
  /** So many at once … */
  burst: number;
  /** … and then one in so many milliseconds. */
  everyMs: number;
}

export class RateLimit {
  readonly #rate: Rate;
  readonly #now: () => number;
  #tokens: number;
  #atMs: number;

  constructor(rate: Rate, now: () => number = Date.now) {
    this.#rate = rate;
    this.#now = now;
    this.#tokens = rate.burst;
    this.#atMs = now();
  }

  /** Takes one; 0 when it was there, else the milliseconds until one is. */
  take(): number {
    const now = this.#now();
    const { burst, everyMs } = this.#rate;
    this.#tokens = Math.min(burst, this.#tokens + Math.max(0, now - this.#atMs) / everyMs);
    this.#atMs = now;
    if (this.#tokens < 1) return Math.ceil((1 - this.#tokens) * everyMs);
    this.#tokens -= 1;
    return 0;
  }
}
