// What the rest of the engine sees of control groups: one interface for v1, hybrid and v2. Types only.
import type { CgroupHost } from '../../model/cgroup-host.ts';
import type { GroupName, JoinableGroup } from '../../model/cgroup-path.ts';
import type { GroupLimits, IoLimit } from '../../model/cgroup-plan.ts';

export interface GroupStats {
  /** Processor time of the learner's processes since the groups were made. */
  readonly cpuUsageUs: number;
  /** Periods of 100 ms in which the quota ran out, and the time processes then waited, summed. */
  readonly throttledPeriods: number;
  readonly throttledUs: number;
  /** Memory in use, without file pages that were not touched lately: the figure `docker stats` shows. */
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly oomKills: number;
  /** Threads, as pids.max counts them. */
  readonly pids: number;
  readonly pidsLimit: number;
}

export interface GroupEvents {
  /** Whether any process of the learner lives. Always true on a pure v1 host, which has no such event. */
  readonly populated: boolean;
  readonly frozen: boolean;
  readonly oomKills: number;
}

/** Groups a learner made, per hierarchy the largest number, and what was done about too many. */
export interface TrimResult {
  readonly groups: number;
  readonly removed: number;
  /** killed: there were too many groups with processes in them, so every process of the learner was ended. */
  readonly action: 'none' | 'removed' | 'killed';
}

/** The control groups of one sandbox. */
export interface SandboxGroup {
  readonly name: string;
  /** Files where a process writes "0" to put itself into a group: `tasks` of each v1 hierarchy, cgroup.procs of v2. */
  joinFiles(group: JoinableGroup): string[];
  /** The v2 directory of a group, for CLONE_INTO_CGROUP; null on a pure v1 host. On hybrid the v1 files are joined besides. */
  cgroupDirectory(group: JoinableGroup): string | null;
  stats(): GroupStats;
  /** Bounds reads and writes of devices. Throws `unavailable` where the host has no io (v1: blkio) controller. */
  limitIo(io: readonly IoLimit[]): void;
  /** Halts the learner's processes, not the keepers; resolves when all stand still. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Ends every process in a group (the learner's unless told otherwise; '' is all with the keepers) and waits until none is left. */
  kill(group?: GroupName): Promise<void>;
  /** Host pids in a group and the groups below it. */
  members(group?: GroupName): number[];
  /** Calls back when events change; call the result to stop. */
  watch(changed: (events: GroupEvents) => void): () => void;
  events(): GroupEvents;
  /** Bounds the number of a learner's groups where the kernel does not (v1). Call it every few seconds. */
  trimGroups(): Promise<TrimResult>;
  /** Ends what still runs in any of the groups and removes them, leaves first. Gone already is fine. */
  remove(): Promise<void>;
}

/** The control groups of one daemon. */
export interface CgroupDriver {
  readonly host: CgroupHost;
  /** Throws `conflict` when the sandbox has groups already; leaves nothing behind when it fails. */
  createSandbox(name: string, limits: GroupLimits, ownerUid: number): Promise<SandboxGroup>;
  /** Groups that are there, for instance from before a restart. Throws `not_found`. */
  open(name: string): SandboxGroup;
  /** Names of all sandboxes that have groups. */
  list(): string[];
  /** Ends and removes every sandbox that is not in `liveNames`; returns the names. */
  collect(liveNames: Iterable<string>): Promise<string[]>;
  /** Ends and removes all sandboxes, and the daemon's own group. */
  removeAll(): Promise<void>;
}
