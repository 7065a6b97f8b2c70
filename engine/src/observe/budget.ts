// How much work a sandbox may cause: a bucket of tokens that fills with time. Pure.

/** Tokens per second up to a most; `within`: a bucket that must have them, too (the whole machine's). */
export class Budget {
  readonly #perSecond: number;
  readonly #most: number;
  readonly #within: Budget | null;
  #tokens: number;
  #atMs: number | null = null;

  constructor(perSecond: number, most: number, within: Budget | null = null) {
    this.#perSecond = perSecond;
    this.#most = most;
    this.#within = within;
    this.#tokens = most;
  }
  #has(nowMs: number, cost: number): boolean {
    const passedMs = Math.max(0, nowMs - (this.#atMs ?? nowMs));
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#most, this.#tokens + (passedMs * this.#perSecond) / 1000);
    return this.#tokens >= cost && (this.#within === null || this.#within.#has(nowMs, cost));
  }
  /** Takes so many, or none and gives false. */
  take(nowMs: number, cost: number): boolean {
    if (!this.#has(nowMs, cost)) return false;
    this.#tokens -= cost;
    if (this.#within) this.#within.#tokens -= cost;
    return true;
  }
}
