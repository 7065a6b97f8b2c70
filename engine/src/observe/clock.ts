// The kernel's clocks and people's: events carry the monotonic one, start times the one since boot.
import { uptime } from 'node:os';

/** Monotonic milliseconds, as proc events carry them. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6;

const round = (ms: number): number => Math.round(ms * 10) / 10;

/** Differences between the clocks, as they were when it was made. */
export class Clock {
  readonly #epochMinusMonotonic: number;
  readonly #epochMinusBoot: number;
  readonly #bootMinusMonotonic: number;
  constructor(nowMonotonicMs = monotonicMs(), epochMs = Date.now(), bootMs = uptime() * 1000) {
    this.#epochMinusMonotonic = epochMs - nowMonotonicMs;
    this.#epochMinusBoot = epochMs - bootMs;
    this.#bootMinusMonotonic = bootMs - nowMonotonicMs;
  }
  /** Epoch milliseconds of a monotonic time. */
  epoch(ms: number): number {
    return round(ms + this.#epochMinusMonotonic);
  }
  /** Epoch milliseconds of a start time in ticks of 1/100 s since boot. */
  started(ticks: number): number {
    return round(ticks * 10 + this.#epochMinusBoot);
  }
  /** The start ticks a process has that was forked then; may be one off. */
  ticks(ms: number): number {
    return Math.floor((ms + this.#bootMinusMonotonic) / 10);
  }
}
