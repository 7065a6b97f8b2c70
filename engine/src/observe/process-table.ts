// Which processes a tracker follows, which of them are to be read again, and which are kept open between looks.
import type { ProcessView } from '../kernel/proc/source.ts';
import type { Tracked } from './tracked.ts';

/** More processes than that are not kept open between looks: descriptors are the daemon's. */
const MAX_OPEN = 256;

/** Whose each process of the machine is: shared by all trackers. */
export type Owners<T> = Map<number, T>;

export class ProcessTable<T> {
  readonly #processes = new Map<number, Tracked>();
  readonly #owners: Owners<T>;
  readonly #owner: T;
  /** To be read again. */
  readonly dirty = new Set<Tracked>();
  /** Ended by an event that was not looked into yet. */
  readonly ending = new Set<Tracked>();
  /** Found missing without an event, and since when (monotonic). */
  readonly missing = new Map<Tracked, number>();
  #open = 0;

  constructor(owners: Owners<T>, owner: T) {
    this.#owners = owners;
    this.#owner = owner;
  }
  get(pid: number): Tracked | undefined {
    return this.#processes.get(pid);
  }
  all(): IterableIterator<Tracked> {
    return this.#processes.values();
  }
  keyOf(pid: number): string | null {
    return this.#processes.get(pid)?.key ?? null;
  }
  add(tracked: Tracked): void {
    this.#processes.set(tracked.pid, tracked);
    this.#owners.set(tracked.pid, this.#owner);
    this.dirty.add(tracked);
  }
  /** False when its number belongs to another already. */
  drop(tracked: Tracked): boolean {
    this.dirty.delete(tracked);
    this.ending.delete(tracked);
    this.missing.delete(tracked);
    if (tracked.activity) this.#open--;
    tracked.activity?.close();
    tracked.activity = null;
    if (this.#processes.get(tracked.pid) !== tracked) return false;
    this.#owners.delete(tracked.pid);
    return this.#processes.delete(tracked.pid);
  }
  /** Keeps open what tells whether it ran. */
  openActivity(tracked: Tracked, view: ProcessView): void {
    if (tracked.activity || this.#open >= MAX_OPEN) return;
    tracked.activity = view.activity();
    if (tracked.activity) this.#open++;
  }
}
