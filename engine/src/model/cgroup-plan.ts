// Limits of a sandbox -> the files of its control groups to write, in order, for v1 and v2. Pure; the drivers only write.
import type { CgroupFlavour } from './cgroup-host.ts';
import type { GroupName } from './cgroup-path.ts';

/** What a sandbox may use. `Limits` of the lab API has these fields and more. */
export interface GroupLimits {
  readonly memoryBytes: number;
  /** Processors; 0.5 is half of one. */
  readonly cpus: number;
  /** Threads, as the kernel counts them. */
  readonly pids: number;
}

/** Reads and writes of one block device. v1 bounds only direct and synchronous I/O: its throttle sees no write-back. */
export interface IoLimit {
  /** "major:minor" of a whole disk or loop device. */
  readonly device: string;
  readonly readBytesPerSecond?: number;
  readonly writeBytesPerSecond?: number;
  readonly readOperationsPerSecond?: number;
  readonly writeOperationsPerSecond?: number;
}

/** One file to write. On v1 the controller says in which hierarchy; on v2 `cgroup` stands for the core files. */
export interface FileWrite {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** The kernel may be built without this file or its controller; what runs there is bounded all the same. */
  readonly mayLack?: true;
}

/** A write in one of the groups of a sandbox. */
export interface GroupWrite extends FileWrite {
  readonly group: GroupName;
}

/**
 * What the keepers get on top of the learner's share. The learner's limits stand on `inner`; the sandbox's own group bounds
 * the sum of both. With one limit for both, a learner who fills his memory may see the kernel end the keeper, and so lose
 * the terminals, and one who forks to the limit could not be given another terminal.
 */
export const KEEPERS_ROOM: GroupLimits = { memoryBytes: 64 * 2 ** 20, cpus: 0.25, pids: 64 };

/** Groups a learner may make, and how deep: v2 bounds them by itself; on v1 the engine counts (see trimGroups of the driver). */
export const MAX_DESCENDANTS = 128;
export const MAX_DEPTH = 8;

/**
 * Of the v1 hierarchies, those whose `inner` a learner may divide. cpuset's exclusive flags reach siblings, devices.* and
 * blkio.* weights want CAP_SYS_ADMIN of the host or mean nothing inside: these stay root's.
 */
const V1_DELEGATED: readonly string[] = ['memory', 'cpu', 'cpuacct', 'pids'];

/**
 * The v1 freezer only where no v2 tree has cgroup.freeze: a process frozen by v1 neither counts as frozen in v2 nor dies
 * of cgroup.kill (6.18, tried), so a learner could keep his sandbox from being frozen or ended.
 */
export function delegatedControllers(flavour: CgroupFlavour): readonly string[] {
  return flavour === 'v1' ? [...V1_DELEGATED, 'freezer'] : V1_DELEGATED;
}

/** Chowned to the learner: exactly what cgroups(7), "Delegation", names. Limits of the delegated group itself stay root's. */
export const V2_DELEGATED_FILES = ['cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'] as const;
export const V1_DELEGATED_FILES = ['cgroup.procs', 'tasks'] as const;

/** v2 controllers handed down to sandboxes; of these, io and cpuset may be absent. */
export const V2_CONTROLLERS = ['cpu', 'memory', 'pids', 'io', 'cpuset'] as const;

/** Character devices of a sandbox's /dev: null, zero, full, random, urandom, tty, ptmx, every pts, tun, fuse. */
export const SANDBOX_DEVICES = [
  'c 1:3 rwm',
  'c 1:5 rwm',
  'c 1:7 rwm',
  'c 1:8 rwm',
  'c 1:9 rwm',
  'c 5:0 rwm',
  'c 5:2 rwm',
  'c 136:* rwm',
  'c 10:200 rwm',
  'c 10:229 rwm',
] as const;

const CPU_PERIOD_US = 100_000;

/** The kernel refuses quotas under 1 ms. */
const quotaUs = (cpus: number) => Math.max(1000, Math.round(cpus * CPU_PERIOD_US));

/**
 * Above this the kernel reclaims file pages before memory.max makes it kill, and slows down who allocates, the more the
 * further above: with 90 % of 512 MiB a process that runs away crawled for 57 s, its shell with it, before it was killed; with
 * 97 % it is killed at once (6.1, tried).
 */
const highBytes = (memoryBytes: number) => Math.floor(memoryBytes * 0.97);

/** The learner's share and the keepers' room together. */
export function withKeepers(limits: GroupLimits): GroupLimits {
  return {
    memoryBytes: limits.memoryBytes + KEEPERS_ROOM.memoryBytes,
    cpus: limits.cpus + KEEPERS_ROOM.cpus,
    pids: limits.pids + KEEPERS_ROOM.pids,
  };
}

/** Files of a v2 sandbox; all groups exist, and controllers are handed down to `inner` and `keepers`. */
export function planV2(limits: GroupLimits): GroupWrite[] {
  const weight = Math.min(10_000, Math.max(1, Math.round(limits.cpus * 100)));
  const one = (group: GroupName, { memoryBytes, cpus, pids }: GroupLimits): GroupWrite[] => [
    { controller: 'memory', group, file: 'memory.max', value: String(memoryBytes) },
    { controller: 'memory', group, file: 'memory.swap.max', value: '0', mayLack: true },
    { controller: 'pids', group, file: 'pids.max', value: String(pids) },
    { controller: 'cpu', group, file: 'cpu.max', value: `${quotaUs(cpus)} ${CPU_PERIOD_US}` },
  ];
  return [
    { controller: 'cgroup', group: '', file: 'cgroup.max.descendants', value: String(MAX_DESCENDANTS) },
    { controller: 'cgroup', group: '', file: 'cgroup.max.depth', value: String(MAX_DEPTH) },
    { controller: 'cpu', group: '', file: 'cpu.weight', value: String(weight) },
    ...one('', withKeepers(limits)),
    ...one('inner', limits),
    { controller: 'memory', group: 'inner', file: 'memory.high', value: String(highBytes(limits.memoryBytes)) },
  ];
}

/** Core files of the v2 group that a hybrid host's sandbox has beside its v1 groups. */
export function planHybrid(): GroupWrite[] {
  return planV2({ memoryBytes: 0, cpus: 1, pids: 1 }).filter(({ controller }) => controller === 'cgroup');
}

/** Files of a v1 sandbox, outer groups first: a child's cpu quota may not be above its parent's (EINVAL). */
export function planV1(limits: GroupLimits): GroupWrite[] {
  const one = (group: GroupName, { memoryBytes, cpus, pids }: GroupLimits): GroupWrite[] => [
    { controller: 'memory', group, file: 'memory.limit_in_bytes', value: String(memoryBytes) },
    // After the limit, never below it. Memory and swap together no more than memory: no swap.
    { controller: 'memory', group, file: 'memory.memsw.limit_in_bytes', value: String(memoryBytes), mayLack: true },
    { controller: 'pids', group, file: 'pids.max', value: String(pids) },
    { controller: 'cpu', group, file: 'cpu.cfs_period_us', value: String(CPU_PERIOD_US) },
    { controller: 'cpu', group, file: 'cpu.cfs_quota_us', value: String(quotaUs(cpus)) },
  ];
  const device = (file: string, value: string): GroupWrite => ({
    controller: 'devices',
    group: 'inner',
    file,
    value,
    mayLack: true,
  });
  return [
    {
      controller: 'cpu',
      group: '',
      file: 'cpu.shares',
      value: String(Math.max(2, Math.round(limits.cpus * 1024))),
    },
    ...one('', withKeepers(limits)),
    ...one('inner', limits),
    // On inner, not on the whole sandbox: keepers open the sandbox's disk. `a` clears what was inherited.
    device('devices.deny', 'a'),
    ...SANDBOX_DEVICES.map((rule) => device('devices.allow', rule)),
  ];
}

/** I/O bounds of a v2 sandbox: one line of io.max a device. */
export function planIoV2(io: readonly IoLimit[]): GroupWrite[] {
  return io.map((limit) => {
    const keys: [string, number | undefined][] = [
      ['rbps', limit.readBytesPerSecond],
      ['wbps', limit.writeBytesPerSecond],
      ['riops', limit.readOperationsPerSecond],
      ['wiops', limit.writeOperationsPerSecond],
    ];
    const value = [limit.device, ...keys.map(([key, bound]) => `${key}=${bound ?? 'max'}`)].join(' ');
    return { controller: 'io', group: '', file: 'io.max', value };
  });
}

/** The same on v1: a file for each kind of bound; 0 takes a bound away. */
export function planIoV1(io: readonly IoLimit[]): GroupWrite[] {
  return io.flatMap((limit) => {
    const files: [string, number | undefined][] = [
      ['blkio.throttle.read_bps_device', limit.readBytesPerSecond],
      ['blkio.throttle.write_bps_device', limit.writeBytesPerSecond],
      ['blkio.throttle.read_iops_device', limit.readOperationsPerSecond],
      ['blkio.throttle.write_iops_device', limit.writeOperationsPerSecond],
    ];
    return files.map(([file, bound]): GroupWrite => ({
      controller: 'blkio',
      group: '',
      file,
      value: `${limit.device} ${bound ?? 0}`,
    }));
  });
}
