// What was found out and not yet told: gathers a patch, and leaves out what is too much to be told one by one.
import type { KernelEvent, ObservedExit, ObservedProcess } from '../model/observed.ts';
import { Budget } from './budget.ts';
import { emptyChange, isEmpty, type Change } from './change.ts';
import type { Clock } from './clock.ts';
import type { Tracked } from './tracked.ts';

/** Events and exits told one by one: 5 000 at once, then 500 a second; a person at a terminal makes some ten. */
const DETAIL_PER_SECOND = 500;
const DETAIL_MOST = 5000;

export class Pending {
  readonly #clock: Clock;
  readonly #detail = new Budget(DETAIL_PER_SECOND, DETAIL_MOST);
  #change = emptyChange();
  #events: { kind: KernelEvent['kind']; tracked: Tracked; atMs: number }[] = [];

  #exits: { exit: ObservedExit; tracked: Tracked; parent: Tracked | undefined }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  #coalesce(): void {
    this.#change.coalesced = (this.#change.coalesced ?? 0) + 1;
  }

  event(kind: KernelEvent['kind'], tracked: Tracked, atMonotonicMs: number): void {
    if (!this.#detail.take(atMonotonicMs, 0.2)) return this.#coalesce();
    this.#events.push({ kind, tracked, atMs: this.#clock.epoch(atMonotonicMs) });
  }

  upsert(tracked: Tracked, process: ObservedProcess): void {
    tracked.told = process;
    if (this.#change.gone.length > 0) this.#change.gone = this.#change.gone.filter((key) => key !== process.key);
    this.#change.upsert.push(process);
  }

  /** Tells how a process ended; where that is too much, only that it is gone. */
  exit(tracked: Tracked, exit: ObservedExit, parent: Tracked | undefined, nowMs: number): void {
    tracked.ended = true;
    if (this.#detail.take(nowMs, 1)) {
      this.#exits.push({ exit, tracked, parent });
      this.#events.push({ kind: 'exit', tracked, atMs: exit.atMs });
      return;
    }
    this.#coalesce();
    if (!tracked.zombie) this.gone(tracked);
  }

  gone(tracked: Tracked): void {
    if (tracked.told) this.#change.gone.push(tracked.key);
  }

  hostname(name: string): void {
    this.#change.hostname = name;
  }

  /** The patch, or null when there is nothing to tell; begins the next one. */
  take(nowMs: number): Change | null {
    const change = this.#change;
    change.atMs = this.#clock.epoch(nowMs);
    // Only now is the key of a process known that was read after its fork.
    change.events = this.#events.map(({ kind, tracked, atMs }) => ({ kind, key: tracked.key, atMs }));
    change.exits = this.#exits.map(({ exit, tracked, parent }) => ({
      ...exit,
      key: tracked.key,
      parentKey: parent?.key ?? exit.parentKey,
    }));
    // Several looks between two patches: the last one counts.
    const last = new Map(change.upsert.map((process) => [process.key, process]));
    change.upsert = [...last.values()];
    this.#change = emptyChange();
    this.#events = [];
    this.#exits = [];
    return isEmpty(change) ? null : change;
  }
}
