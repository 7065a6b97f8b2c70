// The processes of one sandbox, followed: events and looks go in, changes come out. Owns no timer and no descriptor loop.
import type { CgroupLine } from '../kernel/proc/cgroup.ts';
import type { ProcEvent } from '../kernel/proc-event.ts';
import type { ProcessSource, ProcessView, Reading } from '../kernel/proc/source.ts';
import type { ObservedExit, ObservedProcess, Snapshot, Watch } from '../model/observed.ts';
import { Budget } from './budget.ts';
import type { Change } from './change.ts';
import { MountTables } from './mount-tables.ts';
import { Pending } from './pending.ts';
import { PidNamespaces } from './pid-namespaces.ts';
import { type Owners, ProcessTable } from './process-table.ts';
import { type Frame, type Looks, compose, look, readNamespaces } from './read-process.ts';
import {
  type Identity,
  type Tracked,
  identify,
  isAnother,
  isLeaving,
  isOver,
  newTracked,
  setIdentity,
} from './tracked.ts';

/** Events are gathered so long before they are told, so that fork, exec and a quick exit make one patch. */
export const BATCH_MS = 10;
/** The same while a sandbox has used up its budget of looks: a fork bomb. */
export const STARVED_BATCH_MS = 250;
/** Looks (some 70 µs each) that one sandbox may cause: a second's worth at once. */
const LOOKS_PER_SECOND = 800;
/** What a quick look costs, in looks. */
const IDENTITY_COST = 0.4;
const SETTLE_COST = 0.15;
/** Without an event for so long, a process that is gone has ended unseen. */
const UNSEEN_MS = 1000;

export interface Target {
  initPid: number;
  /** Path below the sandbox's own root, or null when these lines are not of the sandbox. */
  cgroupOf(lines: readonly CgroupLine[]): string | null;
}

export type Start = Pick<Snapshot, 'namespaces' | 'hostname' | 'processes'>;

export class Tracker {
  readonly #source: ProcessSource;
  readonly #target: Target;
  readonly #frame: Frame;
  readonly #namespaces: PidNamespaces;
  readonly #mounts: MountTables;
  readonly #pending: Pending;
  readonly #budget: Budget;
  readonly #table: ProcessTable<Tracker>;
  readonly #hostname: Reading | null;
  #lastHostname = '';
  #watch: Watch;
  #starvedUntilMs = 0;
  /** Monotonic time at which `flush` has something to do; null: nothing. */
  dueMs: number | null = null;
  /** The sandbox's first process has ended, and that was told. */
  ended = false;

  /** Throws when the first process is gone. `machine`: the budget that all trackers share. */
  constructor(
    source: ProcessSource,
    target: Target,
    watch: Watch,
    owners: Owners<Tracker>,
    clock: Frame['clock'],
    machine: Budget | null,
  ) {
    this.#source = source;
    this.#target = target;
    this.#watch = watch;
    this.#table = new ProcessTable(owners, this);
    this.#budget = new Budget(LOOKS_PER_SECOND, LOOKS_PER_SECOND, machine);
    const view = source.open(target.initPid);
    const status = view?.status() ?? null;
    const pid = view?.namespace('pid') ?? null;
    if (view === null || status === null || pid === null) {
      view?.close();
      throw new Error('its first process has ended');
    }
    const level = status.nspid.length - 1;
    this.#frame = { level, namespaces: readNamespaces(view, pid), uidMap: view.uidMap() ?? [], clock };
    this.#hostname = view.hostname();
    view.close();
    this.#namespaces = new PidNamespaces(source, pid);
    this.#mounts = new MountTables(this.#frame);
    this.#pending = new Pending(clock);
  }

  setWatch(watch: Watch, nowMs: number): void {
    this.#watch = watch;
    for (const tracked of this.#table.all()) this.#table.dirty.add(tracked);
    this.#due(nowMs);
  }

  get(pid: number): Tracked | undefined {
    return this.#table.get(pid);
  }

  #due(nowMs: number, inMs = BATCH_MS): void {
    const atMs = Math.max(nowMs + inMs, this.#starvedUntilMs);
    this.dueMs = Math.min(this.dueMs ?? Infinity, atMs);
  }

  #drop(tracked: Tracked): void {
    if (this.#table.drop(tracked) && tracked.pid === this.#target.initPid) this.ended = true;
    this.#namespaces.forget(tracked);
  }

  /** Reads who a process is. `gone` also when it goes while it is read: that is no sign that it was foreign. */
  #identify(tracked: Tracked, view: ProcessView): 'ours' | 'foreign' | 'gone' {
    const identity = identify(view);
    if (identity === null || isAnother(tracked, identity.stat)) return 'gone';
    if (identity.status.nspid.length <= this.#frame.level) return 'foreign';
    const guessed = tracked.key;
    setIdentity(tracked, identity);
    // Children that were told of meanwhile name their parent by the guess.
    if (tracked.key !== guessed)
      for (const each of this.#table.all()) if (each.told?.parentKey === guessed) this.#table.dirty.add(each);
    if (this.#namespaces.learn(tracked, view)) return 'ours';
    return isLeaving(view) ? 'gone' : 'foreign';
  }

  /** A quick look, for it may not live until the batch is told. */
  #glance(tracked: Tracked, atMs: number, program: boolean): void {
    if (!this.#budget.take(atMs, IDENTITY_COST)) return;
    const view = this.#source.open(tracked.pid);
    if (view && this.#identify(tracked, view) === 'ours' && program) tracked.argv = view.argv() ?? tracked.argv;
    view?.close();
  }

  /** A process of this sandbox has forked. */
  fork(pid: number, parent: Tracked, atMs: number): void {
    let tracked = this.#table.get(pid);
    if (tracked?.end) {
      this.#settle(tracked, atMs, true);
      tracked = undefined;
    }
    if (tracked === undefined) {
      tracked = newTracked(pid, parent, `${pid}:${this.#frame.clock.ticks(atMs)}`);
      this.#table.add(tracked);
      this.#glance(tracked, atMs, false);
    } else this.#table.dirty.add(tracked);
    this.#pending.event('fork', tracked, atMs);
    this.#due(atMs);
  }

  /** A process was found in this sandbox that came otherwise than by a fork in it. */
  adopt(pid: number, cgroup: string, nowMs: number): void {
    if (this.#table.get(pid)) return;
    const tracked = newTracked(pid, null, `${pid}:${this.#frame.clock.ticks(nowMs)}`);
    tracked.cgroup = cgroup;
    this.#table.add(tracked);
    this.#glance(tracked, nowMs, true);
    this.#due(nowMs);
  }

  /** Any other event of a process that is tracked here. */
  event(event: ProcEvent): void {
    const tracked = this.#table.get(event.pid);
    if (tracked === undefined) return;
    const atMs = event.monotonicMs;
    if (event.kind === 'exit') {
      if (tracked.end || tracked.ended) return;
      if (event.signal === 9) this.#namespaces.noteKilled(tracked);
      tracked.end = this.#exitOf(tracked, event.code, event.signal, atMs);
      this.#table.ending.add(tracked);
    } else if (event.kind === 'thread-exit') {
      if (tracked.mainThreadEnd === null) return;
      tracked.end = tracked.mainThreadEnd;
      tracked.mainThreadEnd = null;
      this.#table.ending.add(tracked);
    } else {
      this.#table.dirty.add(tracked);
      if (event.kind === 'exec') {
        this.#pending.event('exec', tracked, atMs);
        tracked.argv = [];
        this.#glance(tracked, atMs, true);
      }
    }
    this.#due(atMs);
  }

  #exitOf(tracked: Tracked, code: number | null, signal: number | null, atMs: number): ObservedExit {
    return {
      key: tracked.key,
      pids: tracked.identity?.status.nspid.slice(this.#frame.level) ?? [],
      parentKey: this.#table.keyOf(tracked.parentPid),
      comm: tracked.comm,
      code,
      signal,
      atMs: this.#frame.clock.epoch(atMs),
      initOf: this.#namespaces.initOf(tracked),
      pidNamespace: tracked.pidNamespace,
      membersAlive: this.#namespaces.membersAlive(tracked, this.#table.all()),
    };
  }

  /** What became of a process whose main thread has ended. `replaced`: its number belongs to another already. */
  #settle(tracked: Tracked, nowMs: number, replaced = false): void {
    this.#table.ending.delete(tracked);
    const { end } = tracked;
    if (end === null) return;
    tracked.end = null;
    const look = !replaced && this.#budget.take(nowMs, SETTLE_COST);
    const view = look ? this.#source.open(tracked.pid) : null;
    const stat = view?.stat() ?? null;
    const identity = stat && stat.state === 'Z' && view ? identify(view) : null;
    view?.close();
    if (stat && !isAnother(tracked, stat)) {
      // Not over: another thread called execve and took over the number (execve(2), "Effect on threads").
      if (!isOver(stat)) return void this.#table.dirty.add(tracked);
      if (stat.threads > 1) {
        tracked.mainThreadEnd = end;
        return void this.#table.dirty.add(tracked);
      }
      if (identity) {
        setIdentity(tracked, identity);
        tracked.zombie = true;
        this.#pending.exit(tracked, end, this.#table.get(tracked.parentPid), nowMs);
        this.#pending.upsert(tracked, this.#compose(tracked, identity));
        return;
      }
    }
    // X, dead: it may have been a zombie when it was glanced at, but is none that stays.
    if (tracked.told === null && tracked.identity)
      this.#pending.upsert(tracked, { ...this.#compose(tracked, tracked.identity), state: 'X' });
    tracked.zombie = false;
    this.#pending.exit(tracked, end, this.#table.get(tracked.parentPid), nowMs);
    this.#drop(tracked);
  }

  #compose(tracked: Tracked, identity: Identity, looks?: Looks): ObservedProcess {
    return compose(tracked, identity, this.#frame, this.#table.keyOf(tracked.parentPid), looks);
  }

  #tell(tracked: Tracked, process: ObservedProcess, view: ProcessView): void {
    const key = this.#watch.mounts ? this.#mounts.keyOf(process) : null;
    if (!isOver(process))
      process.mounts = key === null ? null : (this.#mounts.get(key) ?? this.#mounts.read(key, view));
    if (tracked.told === null || !isSame(tracked.told, process)) this.#pending.upsert(tracked, process);
  }

  /** Reads all of a process again. */
  #refresh(tracked: Tracked, nowMs: number): void {
    const view = this.#source.open(tracked.pid);
    const stat = view?.stat() ?? null;
    if (view === null || stat === null || isAnother(tracked, stat)) {
      view?.close();
      return this.#miss(tracked, nowMs);
    }
    try {
      const whose = this.#identify(tracked, view);
      const { identity } = tracked;
      if (whose === 'foreign') return this.#expel(tracked);
      if (whose === 'gone' || identity === null) return this.#miss(tracked, nowMs);
      this.#table.openActivity(tracked, view);
      if (isOver(identity.stat)) {
        // Most likely its exit event is on its way. A zombie that was there before anyone looked has none.
        tracked.zombie = identity.stat.threads <= 1;
        return this.#tell(tracked, this.#compose(tracked, identity), view);
      }
      const looks = look(view, tracked, identity, this.#frame);
      // No pid_for_children: nobody was born there yet, or it has left its namespaces since they were read.
      const unread = looks.namespaces.mnt === null || looks.pidForChildren === null;
      if (unread && isLeaving(view)) return this.#miss(tracked, nowMs);
      // Unreadable lines (a path beyond PATH_MAX) say nothing: nobody leaves the group he was born in but by the engine.
      const cgroup = looks.lines ? this.#target.cgroupOf(looks.lines) : tracked.cgroup;
      // v1 hierarchies show a process that has begun to exit in "/" (kernel/cgroup/cgroup.c, proc_cgroup_show).
      if (cgroup === null) return isLeaving(view) ? this.#miss(tracked, nowMs) : this.#expel(tracked);
      tracked.cgroup = cgroup;
      this.#tell(tracked, this.#compose(tracked, identity, looks), view);
    } finally {
      view.close();
    }
  }

  /** Not of this sandbox, or no more. */
  #expel(tracked: Tracked): void {
    this.#pending.gone(tracked);
    this.#drop(tracked);
  }

  /** It is gone and no event has said so yet: one may be under way, so this is settled by a later sweep. */
  #miss(tracked: Tracked, nowMs: number): void {
    if (!tracked.end && !this.#table.missing.has(tracked)) this.#table.missing.set(tracked, nowMs);
  }

  /**
   * The look for what has no event. Whoever did not run since the last look can't have changed anything, so a sandbox at
   * rest costs one system call a process; whoever ran is read again.
   */
  tick(nowMs: number): void {
    let ran = false;
    for (const tracked of this.#table.all()) {
      if (tracked.told === null || tracked.end || (!this.#watch.namespaces && !tracked.zombie)) continue;
      const activity = tracked.activity === null ? '' : tracked.activity.read();
      if (activity === null) {
        if (tracked.ended) this.#expel(tracked);
        else this.#miss(tracked, nowMs);
        this.#due(nowMs);
      } else if (activity === '' || activity !== tracked.lastActivity) {
        ran = true;
        tracked.lastActivity = activity;
        this.#table.dirty.add(tracked);
      }
    }
    if (!ran) return;
    this.#due(nowMs, 0);
    const name = this.#hostname?.read() ?? this.#lastHostname;
    if (name !== this.#lastHostname) this.#pending.hostname(name);
    this.#lastHostname = name;
    if (this.#watch.mounts) this.#lookAtMounts(nowMs);
  }

  /** One process for each mount table there is. */
  #mountTables(): Map<string, Tracked> {
    const tables = new Map<string, Tracked>();
    for (const tracked of this.#table.all()) {
      const key = tracked.told && this.#mounts.keyOf(tracked.told);
      if (key !== null && !tables.has(key)) tables.set(key, tracked);
    }
    return tables;
  }

  #lookAtMounts(nowMs: number): void {
    const tables = this.#mountTables();
    this.#mounts.keep(tables);
    for (const [key, { pid }] of tables) {
      const view = this.#budget.take(nowMs, 2) ? this.#source.open(pid) : null;
      if (view) this.#mounts.read(key, view);
      view?.close();
    }
    for (const tracked of this.#table.all()) {
      const key = tracked.told && this.#mounts.keyOf(tracked.told);
      if (tracked.told === null || key === null || tracked.told.mounts === this.#mounts.get(key)) continue;
      this.#pending.upsert(tracked, { ...tracked.told, mounts: this.#mounts.get(key) });
    }
  }

  /** The safety net: all pids there are. `lost`: events are known to be missing, so whoever is gone has ended unseen. */
  sweep(pids: ReadonlySet<number>, nowMs: number, lost: boolean): void {
    for (const tracked of this.#table.all())
      if (pids.has(tracked.pid)) this.#table.dirty.add(tracked);
      else this.#miss(tracked, nowMs);
    for (const [tracked, sinceMs] of this.#table.missing) {
      if (!lost && nowMs - sinceMs < UNSEEN_MS) continue;
      const view = this.#source.open(tracked.pid);
      const stat = view?.stat() ?? null;
      view?.close();
      if (stat && !isAnother(tracked, stat)) this.#table.missing.delete(tracked);
      else if (!tracked.ended && !tracked.end && (tracked.told || tracked.identity)) {
        tracked.end = this.#exitOf(tracked, null, null, nowMs);
        this.#settle(tracked, nowMs, true);
      } else if (!tracked.end) this.#expel(tracked);
    }
    if (this.#watch.mounts) this.#lookAtMounts(nowMs);
    this.#due(nowMs);
  }

  /** Reads what is to be read again, as far as the budget goes, and gives what changed. */
  flush(nowMs: number, bounded = true): Change | null {
    this.dueMs = null;
    const { dirty, ending } = this.#table;
    const parents = new Set([...ending].map((tracked) => tracked.key));
    for (const tracked of ending) this.#settle(tracked, nowMs);
    // Children of the ended have a new parent, of which no event tells.
    if (parents.size > 0)
      for (const tracked of this.#table.all())
        if (tracked.told?.parentKey && parents.has(tracked.told.parentKey)) dirty.add(tracked);
    for (const tracked of dirty) {
      if (bounded && !this.#budget.take(nowMs, 1)) {
        this.#starvedUntilMs = nowMs + STARVED_BATCH_MS;
        this.#due(nowMs);
        break;
      }
      dirty.delete(tracked);
      this.#refresh(tracked, nowMs);
    }
    return this.#pending.take(nowMs);
  }

  /** The whole state, for a snapshot; what `flush` would have told is in it. */
  start(nowMs: number): Start {
    this.flush(nowMs, false);
    this.#lastHostname = this.#hostname?.read() ?? '';
    const processes = [...this.#table.all()].map((tracked) => tracked.told).filter((told) => told !== null);
    return { namespaces: this.#frame.namespaces, hostname: this.#lastHostname, processes };
  }

  close(): void {
    for (const tracked of this.#table.all()) this.#table.drop(tracked);
    this.#hostname?.close();
  }
}

function isSame(a: ObservedProcess, b: ObservedProcess): boolean {
  return a.mounts === b.mounts && JSON.stringify({ ...a, mounts: null }) === JSON.stringify({ ...b, mounts: null });
}
