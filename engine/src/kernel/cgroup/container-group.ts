// What the rest of the engine sees of one container's control groups: one interface for v1, hybrid and v2. Types only.
import type { V1Hierarchy } from '../../model/cgroup-host.ts';
import type { LimitFacts } from '../../model/limit-facts.ts';
import type { OciResources } from '../../model/oci-spec.ts';

/** Everything of `docker stats`, from the control files; null where the host has no such file. */
export interface ContainerStats {
  readonly cpu: {
    readonly usageNs: number;
    readonly userNs: number;
    readonly systemNs: number;
    readonly perCpuNs: readonly number[] | null;
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
  readonly memory: {
    readonly usageBytes: number;
    /** v1 only. */
    readonly maxUsageBytes: number | null;
    /** All of the machine's memory where there is no limit, as Docker tells it. */
    readonly limitBytes: number;
    /** How often a process was held at the limit. */
    readonly failcnt: number | null;
    /** memory.stat as the kernel names it. */
    readonly stat: Readonly<Record<string, number>>;
    readonly oomKills: number;
  };
  readonly pids: { readonly current: number; readonly limit: number | null };
  readonly io: readonly {
    readonly major: number;
    readonly minor: number;
    readonly readBytes: number;
    readonly writeBytes: number;
    readonly readOperations: number;
    readonly writeOperations: number;
  }[];
}

export interface ContainerGroup {
  readonly name: string;
  /** Files where a process writes "0" to put itself into the container's groups: `tasks` of v1, cgroup.procs of v2. Joined by
   * the child itself, before its cgroup namespace is made (a write from outside waits for RCU: contract.md, Speed). */
  joinFiles(): string[];
  /** The same for its keeper: a group beside the container's, never inside. Empty where it stays with the daemon (v2). */
  keeperJoinFiles(): string[];
  /** The v2 directory for CLONE_INTO_CGROUP, one below the container's own when it hands controllers down; null where there is
   * no v2 tree. */
  cgroupDirectory(): string | null;
  /** The v1 hierarchies in which it has a group: those that can be shown inside, since elsewhere it is in the daemon's. */
  hierarchies(): readonly V1Hierarchy[];
  /** The path below the mount point, as /proc/PID/cgroup and config.json's cgroupsPath name it. */
  readonly path: string;
  /** New limits for a living container. Throws with what the kernel refused, in Docker's words where it has some. */
  update(resources: OciResources): void;
  stats(): ContainerStats;
  /** Halts every process; resolves when all stand still. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  readonly frozen: boolean;
  /** SIGKILL to every process in the container's group, frozen or not, until none is left. The keeper stays. */
  kill(): Promise<void>;
  /** Host pids. */
  members(): number[];
  /** Calls back at every OOM kill; call the result to stop. */
  onOom(told: (oomKills: number) => void): () => void;
  readonly oomKills: number;
  /** Ends what still runs and removes the groups. Gone already is fine. */
  remove(): Promise<void>;
}

export interface ContainerGroups {
  /** Throws `conflict` when something runs in such groups; leaves nothing when it fails. `parent`: --cgroup-parent, or null. */
  create(id: string, resources: OciResources, parent: string | null): ContainerGroup;
  /** Throws `not_found`. */
  open(id: string, parent: string | null): ContainerGroup;
  /** Ids that have groups in the daemon's own; those with a --cgroup-parent are known from their records. */
  list(): string[];
  /** What this host can enforce: what model/container-limits.ts checks a client's wishes against. */
  readonly facts: LimitFacts;
  /** Warnings for limits this host can't enforce, in Docker's words ("Your kernel does not support …"), and the resources
   * without them. */
  supported(resources: OciResources): { readonly resources: OciResources; readonly warnings: string[] };
  /** Ends and removes all containers' groups, and the daemon's own. Throws `conflict` when something else is in it. */
  removeAll(): Promise<void>;
}
