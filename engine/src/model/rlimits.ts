// Resource limits as data: numbers of setrlimit(2) and what a sandbox gets. Pure; process counts are pids.max's affair.

/** RLIMIT_* of asm-generic/resource.h: the same on x86_64 and aarch64. */
export const RLIMIT = {
  cpu: 0,
  fsize: 1,
  data: 2,
  stack: 3,
  core: 4,
  rss: 5,
  nproc: 6,
  nofile: 7,
  memlock: 8,
  as: 9,
  locks: 10,
  sigpending: 11,
  msgqueue: 12,
  nice: 13,
  rtprio: 14,
  rttime: 15,
} as const;

export type RlimitName = keyof typeof RLIMIT;

/** In the unit of its resource: files, bytes, processes. */
export interface Rlimit {
  readonly name: RlimitName;
  readonly soft: bigint;
  readonly hard: bigint;
}

export const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

/**
 * What every process of a sandbox starts with. Not NPROC: it counts per uid, across containers, and pids.max does it better.
 * MEMLOCK bounds what a learner can pin of the host's memory with mlock(2).
 */
export const SANDBOX_RLIMITS: readonly Rlimit[] = [
  { name: 'nofile', soft: 1024n, hard: 4096n },
  { name: 'memlock', soft: 64n << 20n, hard: 64n << 20n },
];

const least = (a: bigint, b: bigint) => (a < b ? a : b);

/**
 * The same limits, none above what the caller has: without CAP_SYS_RESOURCE in the initial namespace a hard limit can
 * only be lowered (setrlimit(2), EPERM), and a stricter limit than asked for is no danger.
 */
export function withinHard(wanted: readonly Rlimit[], hostHard: (name: RlimitName) => bigint): Rlimit[] {
  return wanted.map(({ name, soft, hard }) => {
    const top = least(hard, hostHard(name));
    return { name, soft: least(soft, top), hard: top };
  });
}

/** `struct rlimit64` for prlimit64(2): soft, then hard. */
export function rlimitBytes(limit: Rlimit): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, limit.soft, true);
  view.setBigUint64(8, limit.hard, true);
  return bytes;
}

/** Hard limits from the text of /proc/PID/limits; a resource that is not named there counts as unlimited. */
export function parseHardLimits(procLimits: string): (name: RlimitName) => bigint {
  const titles: Readonly<Record<RlimitName, string>> = {
    cpu: 'Max cpu time',
    fsize: 'Max file size',
    data: 'Max data size',
    stack: 'Max stack size',
    core: 'Max core file size',
    rss: 'Max resident set',
    nproc: 'Max processes',
    nofile: 'Max open files',
    memlock: 'Max locked memory',
    as: 'Max address space',
    locks: 'Max file locks',
    sigpending: 'Max pending signals',
    msgqueue: 'Max msgqueue size',
    nice: 'Max nice priority',
    rtprio: 'Max realtime priority',
    rttime: 'Max realtime timeout',
  };
  const lines = procLimits.split('\n');
  return (name) => {
    const line = lines.find((candidate) => candidate.startsWith(titles[name]));
    const hard = line?.slice(titles[name].length).trim().split(/\s+/)[1];
    return hard !== undefined && /^\d+$/.test(hard) ? BigInt(hard) : RLIM_INFINITY;
  };
}
