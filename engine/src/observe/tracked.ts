// One process of an observed sandbox, between its fork and the moment its parent has waited for it.
import type { ProcessView, Reading } from '../kernel/proc/source.ts';
import { PF_EXITING, type Stat } from '../kernel/proc/stat.ts';
import type { Status } from '../kernel/proc/status.ts';
import type { ObservedExit, ObservedProcess } from '../model/observed.ts';

/** What tells a process from all others, read at once when it is forked: it may not live for a second look. */
export interface Identity {
  stat: Stat;
  status: Status;
  pidNamespace: number | null;
}

export interface Tracked {
  readonly pid: number;
  parentPid: number;
  /** hostPid:startTicks; from the time of the fork until `identity` is known. */
  key: string;
  identity: Identity | null;
  comm: string;
  argv: string[];
  cgroup: string;
  pidNamespace: number | null;
  /** As last told; null until then. */
  told: ObservedProcess | null;
  activity: Reading | null;
  lastActivity: string | null;
  /** How it ended, when that is known and not yet told. */
  end: ObservedExit | null;
  /** Its end was told. */
  ended: boolean;
  /** Found ended and not waited for. */
  zombie: boolean;
  /** The main thread has ended, other threads go on. */
  mainThreadEnd: ObservedExit | null;
}

export function newTracked(pid: number, parent: Tracked | null, key: string): Tracked {
  return {
    pid,
    parentPid: parent?.pid ?? 0,
    key,
    identity: null,
    comm: parent?.comm ?? '',
    argv: parent?.argv ?? [],
    cgroup: parent?.cgroup ?? '/',
    // fork(2): the child is born into what its parent has for children.
    pidNamespace: parent?.told?.pidForChildren ?? parent?.pidNamespace ?? null,
    told: null,
    activity: null,
    lastActivity: null,
    end: null,
    ended: false,
    zombie: false,
    mainThreadEnd: null,
  };
}

/** Null when the process is gone. */
export function identify(view: ProcessView): Identity | null {
  const stat = view.stat();
  const status = view.status();
  const pidNamespace = view.namespace('pid');
  return stat && status && { stat, status, pidNamespace };
}

/** Takes over what was read; a process keeps its namespace when a zombie's link can't be read. */
export function setIdentity(tracked: Tracked, identity: Identity): void {
  tracked.identity = identity;
  tracked.key = `${tracked.pid}:${identity.stat.startTicks}`;
  tracked.comm = identity.stat.comm;
  tracked.parentPid = identity.stat.ppid;
  tracked.pidNamespace = identity.pidNamespace ?? tracked.pidNamespace;
}

/** Whether the number belongs to a newer process than the one that was tracked. */
export function isAnother(tracked: Tracked, stat: Stat): boolean {
  return tracked.identity !== null && tracked.identity.stat.startTicks !== stat.startTicks;
}

/** Whether its main thread has ended. */
export const isOver = ({ state }: Pick<Stat, 'state'>): boolean => state === 'Z' || state === 'X';

/** Whether it has begun to exit, or is gone: then what its links and groups say counts no more. */
export function isLeaving(view: ProcessView): boolean {
  const stat = view.stat();
  return stat === null || isOver(stat) || (stat.flags & PF_EXITING) !== 0;
}
