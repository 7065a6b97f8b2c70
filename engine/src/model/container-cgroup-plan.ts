// Limits of a container (config.json's linux.resources) -> the control group files to write, in order, for v1 and v2. Pure;
// the driver only writes. Sources: opencontainers/runtime-spec, config-linux.md; kernel admin-guide/cgroup-v1, cgroup-v2.rst.
import type { CgroupHost, V1Hierarchy } from './cgroup-host.ts';
import type { FileWrite } from './cgroup-plan.ts';
import { RUNTIME_DEVICES } from './default-devices.ts';
import { planDevicesV1 } from './device-rules.ts';
import { EngineError } from './engine-error.ts';
import type { OciDeviceRule, OciResources, OciThrottle } from './oci-spec.ts';

export interface ContainerWrite extends FileWrite {
  /** Where the kernel lacks `file`: another that does the same. */
  readonly otherwise?: { readonly file: string; readonly value: string };
}

/** What a living group has now: the order in which its limits can be changed depends on it. */
export interface CurrentLimits {
  /** Infinity is none. */
  readonly memoryBytes: number;
  readonly cpuPeriodUs: number;
  /** -1 is none. */
  readonly cpuQuotaUs: number;
}

/** A group that was just made. */
const NEW: CurrentLimits = { memoryBytes: Number.POSITIVE_INFINITY, cpuPeriodUs: 100_000, cpuQuotaUs: -1 };

/**
 * Controllers that every container on v1 gets a group for: memory, pids, cpuacct and blkio count what `stats` tells; cpu
 * gives each container the same share of the processors, however many threads it has; without cpuset, programs that
 * look for the bounds of their container (the JVM) take it for none. The rest costs a mkdir, a join, a mount and a rmdir
 * each for nothing: net_cls, net_prio, perf_event, hugetlb, rdma and misc bound nothing that a container can be given.
 */
const ALWAYS = ['memory', 'pids', 'cpuacct', 'blkio', 'cpu', 'cpuset'] as const;

/**
 * The v1 hierarchies a container with these limits needs a group in. Besides ALWAYS: devices, unless all are allowed. Where
 * no v2 tree stands beside them: freezer, by which it is halted and ended, and name=systemd, or stopping the daemon's unit
 * would end what is still counted as part of it.
 */
export function containerHierarchies(host: CgroupHost, resources: OciResources): V1Hierarchy[] {
  const needed = new Set<string>(ALWAYS);
  if (planDevicesV1(deviceRules(resources)).length > 0) needed.add('devices');
  if (host.unified === null) needed.add('freezer').add('name=systemd');
  return host.hierarchies.filter(({ controllers }) => controllers.some((name) => needed.has(name)));
}

/** All device rules that hold: those of config.json, then what every runtime adds. None: no device is denied. */
export function deviceRules({ devices }: OciResources): OciDeviceRule[] {
  return devices === undefined || devices.length === 0 ? [] : [...devices, ...RUNTIME_DEVICES];
}

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const DEFAULT_PERIOD_US = 100_000;

/** v1's shares (2 … 262144, normally 1024) as v2's weight (1 … 10000, normally 100): the curve through these three points
 * that runc and crun take (opencontainers/cgroups, ConvertCPUSharesToCgroupV2Value). */
export function cpuWeight(shares: number): number {
  if (shares <= MIN_SHARES) return 1;
  if (shares >= MAX_SHARES) return 10_000;
  const log = Math.log2(shares);
  return Math.ceil(10 ** ((log * log + 125 * log) / 612 - 7 / 34));
}

/** blkio's weight (10 … 1000) as io.weight (1 … 10000), linear. */
export function ioWeight(weight: number): number {
  return 1 + Math.floor(((weight - 10) * 9999) / 990);
}

type Cpu = NonNullable<OciResources['cpu']>;
type Memory = NonNullable<OciResources['memory']>;
type BlockIo = NonNullable<OciResources['blockIO']>;

/** Writes for v1: for a new group, or for one that has `current` limits. */
export function planContainerV1(resources: OciResources, current: CurrentLimits = NEW): ContainerWrite[] {
  return [
    ...planDevicesV1(deviceRules(resources)),
    ...memoryV1(resources.memory ?? {}, current),
    ...cpuV1(resources.cpu ?? {}, current),
    ...cpuset(resources.cpu ?? {}),
    ...pids(resources),
    ...blockIoV1(resources.blockIO ?? {}),
  ];
}

/** Writes for v2; its devices are no file but a program (device-program.ts). */
export function planContainerV2(resources: OciResources, current: CurrentLimits = NEW): ContainerWrite[] {
  return [
    ...memoryV2(resources.memory ?? {}),
    ...cpuV2(resources.cpu ?? {}, current),
    ...cpuset(resources.cpu ?? {}),
    ...pids(resources),
    ...ioV2(resources.blockIO ?? {}),
  ];
}

/** The write of a number, none when it is absent or 0 ("not limited"). */
function number(controller: string, file: string, value: number | undefined): ContainerWrite[] {
  return value ? [{ controller, file, value: String(value) }] : [];
}

function memoryV1(memory: Memory, current: CurrentLimits): ContainerWrite[] {
  const limit = number('memory', 'memory.limit_in_bytes', memory.limit);
  // No limit on memory ends the one on both together: it could not be below.
  const unlimited = memory.limit === -1 && !memory.swap;
  // It has no file where the kernel does not account swap: there is nothing to end then.
  const both: ContainerWrite[] =
    unlimited || memory.swap === -1
      ? [{ controller: 'memory', file: 'memory.memsw.limit_in_bytes', value: '-1', mayLack: true }]
      : number('memory', 'memory.memsw.limit_in_bytes', memory.swap);
  // The kernel refuses (EINVAL) what would leave memory above memory and swap, also for a moment between two writes.
  const raises = both[0]?.value === '-1' || (memory.swap ?? 0) > current.memoryBytes;
  return [
    ...(raises ? [...both, ...limit] : [...limit, ...both]),
    ...number('memory', 'memory.soft_limit_in_bytes', memory.reservation),
    ...(memory.swappiness === undefined
      ? []
      : [{ controller: 'memory', file: 'memory.swappiness', value: String(memory.swappiness) }]),
    ...(memory.disableOOMKiller ? [{ controller: 'memory', file: 'memory.oom_control', value: '1' }] : []),
  ];
}

const bytes = (value: number) => (value === -1 ? 'max' : String(value));

/** v2 bounds swap apart from memory; there is neither swappiness nor a way to disable the OOM killer. */
function memoryV2({ limit, swap, reservation }: Memory): ContainerWrite[] {
  const writes: ContainerWrite[] = [];
  const swapMax = swapBytes(limit ?? 0, swap ?? 0);
  if (swapMax !== null)
    writes.push({
      controller: 'memory',
      file: 'memory.swap.max',
      value: bytes(swapMax),
      // A kernel without swap accounting bounds no swap; "none" and "as much as there is" need none.
      ...(swapMax <= 0 && { mayLack: true as const }),
    });
  if (limit) writes.push({ controller: 'memory', file: 'memory.max', value: bytes(limit) });
  if (reservation) writes.push({ controller: 'memory', file: 'memory.low', value: bytes(reservation) });
  return writes;
}

/** Memory and swap together -> swap alone; -1 is no limit, null leaves it as it is. */
function swapBytes(limit: number, both: number): number | null {
  if (both === 0) return limit === -1 ? -1 : null;
  if (both === -1 || limit === -1) return both;
  if (limit === 0)
    throw new EngineError('invalid_argument', 'Cannot bound swap: on cgroup v2 it needs the memory limit beside it');
  if (both < limit)
    throw new EngineError('invalid_argument', 'Minimum memoryswap limit should be larger than memory limit, see usage');
  return both - limit;
}

/** The kernel would take the nearest value without a word. */
function checkedShares(shares: number): number {
  if (shares < MIN_SHARES) throw new EngineError('invalid_argument', `the minimum allowed cpu-shares is ${MIN_SHARES}`);
  if (shares > MAX_SHARES) throw new EngineError('invalid_argument', `the maximum allowed cpu-shares is ${MAX_SHARES}`);
  return shares;
}

function cpuV1(cpu: Cpu, current: CurrentLimits): ContainerWrite[] {
  const period = number('cpu', 'cpu.cfs_period_us', cpu.period);
  const quota = number('cpu', 'cpu.cfs_quota_us', cpu.quota);
  // Whichever keeps quota/period, between the two writes, at or below the larger of old and new: the parent may have a
  // quota, which no child may be above (EINVAL).
  const periodFirst = (cpu.period ?? 0) >= current.cpuPeriodUs || current.cpuQuotaUs < 0;
  return [
    ...(cpu.shares ? number('cpu', 'cpu.shares', checkedShares(cpu.shares)) : []),
    ...(periodFirst ? [...period, ...quota] : [...quota, ...period]),
    // The period first: the runtime may not be above it. A new group has no runtime at all.
    ...number('cpu', 'cpu.rt_period_us', cpu.realtimePeriod),
    ...number('cpu', 'cpu.rt_runtime_us', cpu.realtimeRuntime),
  ];
}

function cpuV2({ shares, quota, period }: Cpu, current: CurrentLimits): ContainerWrite[] {
  const writes: ContainerWrite[] = [];
  if (shares) writes.push({ controller: 'cpu', file: 'cpu.weight', value: String(cpuWeight(checkedShares(shares))) });
  if (quota || period) {
    // One file for both: what is not asked for stays as it is.
    const quotaUs = quota || current.cpuQuotaUs;
    const value = `${quotaUs < 0 ? 'max' : quotaUs} ${period || current.cpuPeriodUs || DEFAULT_PERIOD_US}`;
    writes.push({ controller: 'cpu', file: 'cpu.max', value });
  }
  return writes;
}

function cpuset({ cpus, mems }: Cpu): ContainerWrite[] {
  return [
    ...(cpus ? [{ controller: 'cpuset', file: 'cpuset.cpus', value: cpus }] : []),
    ...(mems ? [{ controller: 'cpuset', file: 'cpuset.mems', value: mems }] : []),
  ];
}

function pids({ pids: bound }: OciResources): ContainerWrite[] {
  if (bound === undefined) return [];
  return [{ controller: 'pids', file: 'pids.max', value: bound.limit > 0 ? String(bound.limit) : 'max' }];
}

const device = ({ major, minor }: { major: number; minor: number }) => `${major}:${minor}`;

/** Weights are bfq's on kernels since 5.0; before, cfq's. */
function blockIoV1(io: BlockIo): ContainerWrite[] {
  const weigh = (file: string, value: string): ContainerWrite => ({
    controller: 'blkio',
    file: `blkio.bfq.${file}`,
    value,
    otherwise: { file: `blkio.${file}`, value },
  });
  const throttle = (file: string, rates: readonly OciThrottle[] | undefined) =>
    (rates ?? []).map((rate): ContainerWrite => ({
      controller: 'blkio',
      file: `blkio.throttle.${file}`,
      value: `${device(rate)} ${rate.rate}`,
    }));
  return [
    ...(io.weight ? [weigh('weight', String(io.weight))] : []),
    ...(io.weightDevice ?? []).map((one) => weigh('weight_device', `${device(one)} ${one.weight}`)),
    ...throttle('read_bps_device', io.throttleReadBpsDevice),
    ...throttle('write_bps_device', io.throttleWriteBpsDevice),
    ...throttle('read_iops_device', io.throttleReadIOPSDevice),
    ...throttle('write_iops_device', io.throttleWriteIOPSDevice),
  ];
}

/** v2: io.bfq.weight has v1's range; io.weight, of the iocost controller, ten times as fine. */
function ioV2(io: BlockIo): ContainerWrite[] {
  const weigh = (weight: number, prefix: string): ContainerWrite => ({
    controller: 'io',
    file: 'io.bfq.weight',
    value: `${prefix}${weight}`,
    otherwise: { file: 'io.weight', value: `${prefix}${ioWeight(weight)}` },
  });
  const max = (key: string, rates: readonly OciThrottle[] | undefined) =>
    (rates ?? []).map((rate): ContainerWrite => ({
      controller: 'io',
      file: 'io.max',
      value: `${device(rate)} ${key}=${rate.rate || 'max'}`,
    }));
  return [
    ...(io.weight ? [weigh(io.weight, '')] : []),
    ...(io.weightDevice ?? []).map((one) => weigh(one.weight, `${device(one)} `)),
    ...max('rbps', io.throttleReadBpsDevice),
    ...max('wbps', io.throttleWriteBpsDevice),
    ...max('riops', io.throttleReadIOPSDevice),
    ...max('wiops', io.throttleWriteIOPSDevice),
  ];
}
