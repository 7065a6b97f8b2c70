// All observed sandboxes of one daemon: hands each event to the sandbox it belongs to, and says when which look is due.
import type { CgroupLine } from '../kernel/proc/cgroup.ts';
import type { ProcEvent } from '../kernel/proc-event.ts';
import type { ProcessSource } from '../kernel/proc/source.ts';
import { cgroupInside, instanceGroup } from '../model/cgroup-path.ts';
import type { Watch } from '../model/observed.ts';
import { Budget } from './budget.ts';
import type { Change } from './change.ts';
import { Clock } from './clock.ts';
import { type Start, Tracker } from './tracker.ts';

/** How often what has no event is looked at. */
export const TICK_MS = 50;
/** The safety net where events come, and the only means where none do. */
export const SWEEP_MS = 2000;
export const SWEEP_WITHOUT_EVENTS_MS = 50;
/** After lost events: what still waits in the queue comes first. */
const RESYNC_MS = 20;
/** Looks a second at all sandboxes together (some 70 µs each). */
const LOOKS_PER_SECOND = 4000;
/** Newcomers from outside a sandbox (terminals, exec) that are looked at a second; the sweep finds the rest. */
const CANDIDATES_PER_SECOND = 1000;

export interface Told {
  change(sandbox: string, change: Change): void;
  ended(sandbox: string): void;
}

/**
 * Of which sandbox a process is by its groups: the name after the *first* group of the instance. A learner may make
 * groups with the names of others, but only below his own.
 */
export function sandboxNamed(lines: readonly CgroupLine[], instance: string): string | null {
  const marker = `/${instanceGroup(instance)}/`;
  for (const { path } of lines) {
    const at = path.indexOf(marker);
    if (at >= 0) return path.slice(at + marker.length).split('/', 1)[0] ?? null;
  }
  return null;
}

export class Observatory {
  readonly #source: ProcessSource;
  readonly #instance: string;
  readonly #told: Told;
  readonly #trackers = new Map<string, Tracker>();
  readonly #owners = new Map<number, Tracker>();
  readonly #machine = new Budget(LOOKS_PER_SECOND, LOOKS_PER_SECOND);
  readonly #candidates = new Budget(CANDIDATES_PER_SECOND, CANDIDATES_PER_SECOND);
  readonly #sweepMs: number;
  readonly #hasEvents: boolean;
  #tickDueMs = 0;
  #sweepDueMs = 0;
  #lost = false;

  constructor(source: ProcessSource, instance: string, hasEvents: boolean, told: Told) {
    this.#source = source;
    this.#instance = instance;
    this.#told = told;
    this.#hasEvents = hasEvents;
    this.#sweepMs = hasEvents ? SWEEP_MS : SWEEP_WITHOUT_EVENTS_MS;
  }

  get size(): number {
    return this.#trackers.size;
  }

  /** Begins to observe; throws when the sandbox's first process is gone. */
  start(sandbox: string, initPid: number, watch: Watch, nowMs: number): Start {
    this.stop(sandbox);
    const cgroupOf = (lines: readonly CgroupLine[]) =>
      sandboxNamed(lines, this.#instance) === sandbox ? cgroupInside(lines, this.#instance, sandbox) : null;
    const target = { initPid, cgroupOf };
    const tracker = new Tracker(this.#source, target, watch, this.#owners, new Clock(nowMs), this.#machine);
    if (this.#trackers.size === 0) {
      this.#tickDueMs = nowMs + TICK_MS;
      this.#sweepDueMs = nowMs + this.#sweepMs;
    }
    this.#trackers.set(sandbox, tracker);
    for (const pid of this.#source.pids()) this.#candidate(pid, nowMs);
    return tracker.start(nowMs);
  }

  watch(sandbox: string, watch: Watch, nowMs: number): void {
    this.#trackers.get(sandbox)?.setWatch(watch, nowMs);
  }

  stop(sandbox: string): void {
    this.#trackers.get(sandbox)?.close();
    this.#trackers.delete(sandbox);
  }

  /** A process that nobody follows: is it in an observed sandbox? */
  #candidate(pid: number, nowMs: number): void {
    if (this.#owners.has(pid)) return;
    const view = this.#source.open(pid);
    const lines = view?.cgroup() ?? null;
    view?.close();
    const sandbox = lines && sandboxNamed(lines, this.#instance);
    const tracker = sandbox === null ? undefined : this.#trackers.get(sandbox);
    const cgroup = lines && sandbox !== null ? cgroupInside(lines, this.#instance, sandbox) : null;
    if (tracker && cgroup !== null) tracker.adopt(pid, cgroup, nowMs);
  }

  /** Events in the order they came; `lost`: some before or between them are missing. */
  events(events: readonly ProcEvent[], lost: boolean, nowMs: number): void {
    for (const event of events) {
      if (event.kind === 'fork') {
        const owner = this.#owners.get(event.parentPid);
        const parent = owner?.get(event.parentPid);
        if (owner && parent) owner.fork(event.pid, parent, event.monotonicMs);
        continue;
      }
      const owner = this.#owners.get(event.pid);
      if (owner) owner.event(event);
      // Who enters a sandbox from outside (a terminal, exec) joins its groups, then calls execve.
      else if (event.kind === 'exec' && this.#candidates.take(nowMs, 1)) this.#candidate(event.pid, nowMs);
    }
    if (!lost) return;
    this.#lost = true;
    this.#sweepDueMs = Math.min(this.#sweepDueMs, nowMs + RESYNC_MS);
  }

  #sweep(nowMs: number): void {
    const pids = new Set(this.#source.pids());
    for (const pid of pids) this.#candidate(pid, nowMs);
    for (const tracker of this.#trackers.values()) tracker.sweep(pids, nowMs, this.#lost || !this.#hasEvents);
    this.#lost = false;
  }

  /** Does what is due by now and says in how many milliseconds the next is; null: nothing will be. */
  run(nowMs: number): number | null {
    if (this.#trackers.size === 0) return null;
    if (nowMs >= this.#tickDueMs) {
      for (const tracker of this.#trackers.values()) tracker.tick(nowMs);
      this.#tickDueMs = nowMs + TICK_MS;
    }
    if (nowMs >= this.#sweepDueMs) {
      this.#sweep(nowMs);
      this.#sweepDueMs = nowMs + this.#sweepMs;
    }
    let nextMs = Math.min(this.#tickDueMs, this.#sweepDueMs);
    for (const [sandbox, tracker] of this.#trackers) {
      if (tracker.dueMs !== null && nowMs >= tracker.dueMs) {
        const change = tracker.flush(nowMs);
        if (change) this.#told.change(sandbox, change);
        if (tracker.ended) {
          this.stop(sandbox);
          this.#told.ended(sandbox);
          continue;
        }
      }
      nextMs = Math.min(nextMs, tracker.dueMs ?? Infinity);
    }
    return Math.max(0, nextMs - nowMs);
  }
}
