// What Docker's daemon checks of a container's limits before it keeps them, in its words and its order (moby 28.2:
// daemon_unix.go, verifyPlatformContainerResources), which clients and their tests compare. Pure.
import type { ContainerResources } from './container-config.ts';
import { isAvailable } from './cpu-list.ts';
import { EngineError } from './engine-error.ts';
import { LACKING, type LimitFacts } from './limit-facts.ts';

/** Enough for a container to be set up in; the kernel's own least is a page. */
const MIN_MEMORY_BYTES = 6 * 2 ** 20;

export interface Validated {
  /** Without what the host can't enforce. */
  readonly resources: ContainerResources;
  /** One for each limit that was dropped. */
  readonly warnings: string[];
}

type Draft = { -readonly [key in keyof ContainerResources]: ContainerResources[key] };

const fail = (message: string): never => {
  throw new EngineError('invalid_argument', message);
};

/** `update`: the limits are to be added to those a container has. Throws invalid_argument. */
export function validateResources(resources: ContainerResources, facts: LimitFacts, update = false): Validated {
  const draft: Draft = { ...resources };
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  memory(draft, facts, warn, update);
  if (draft.PidsLimit !== null && !facts.pids) {
    if (draft.PidsLimit > 0) warn(LACKING.pids);
    draft.PidsLimit = null;
  }
  processors(draft, facts, warn);
  cpusets(draft, facts, warn);
  blockIo(draft, facts, warn);
  return { resources: draft, warnings };
}

function memory(draft: Draft, facts: LimitFacts, warn: (text: string) => void, update: boolean): void {
  // The CLI sends -1 for "not set".
  if (draft.MemorySwappiness === -1) draft.MemorySwappiness = null;
  if (draft.Memory !== 0 && draft.Memory < MIN_MEMORY_BYTES) fail('Minimum memory limit allowed is 6MB');
  if (draft.Memory > 0 && !facts.memory) {
    warn(LACKING.memory);
    draft.Memory = 0;
    draft.MemorySwap = -1;
  }
  if (draft.Memory > 0 && draft.MemorySwap !== -1 && !facts.swap) {
    warn(LACKING.swap);
    draft.MemorySwap = -1;
  }
  if (draft.Memory > 0 && draft.MemorySwap > 0 && draft.MemorySwap < draft.Memory)
    fail('Minimum memoryswap limit should be larger than memory limit, see usage');
  if (draft.Memory === 0 && draft.MemorySwap > 0 && !update)
    fail('You should always set the Memory limit when using Memoryswap limit, see usage');
  if (draft.MemorySwappiness !== null && !facts.swappiness) {
    warn(LACKING.swappiness);
    draft.MemorySwappiness = null;
  }
  if (draft.MemorySwappiness !== null && (draft.MemorySwappiness < 0 || draft.MemorySwappiness > 100))
    fail(`Invalid value: ${draft.MemorySwappiness}, valid memory swappiness range is 0-100`);
  if (draft.MemoryReservation > 0 && !facts.reservation) {
    warn(LACKING.reservation);
    draft.MemoryReservation = 0;
  }
  if (draft.MemoryReservation > 0 && draft.MemoryReservation < MIN_MEMORY_BYTES)
    fail('Minimum memory reservation allowed is 6MB');
  if (draft.Memory > 0 && draft.MemoryReservation > 0 && draft.Memory < draft.MemoryReservation)
    fail('Minimum memory limit can not be less than memory reservation limit, see usage');
  if (draft.OomKillDisable !== null && !facts.oomKillDisable) {
    if (draft.OomKillDisable) warn(LACKING.oomKillDisable);
    draft.OomKillDisable = null;
  }
  if (draft.OomKillDisable && draft.Memory === 0)
    warn(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
}

function processors(draft: Draft, { cpuCfs, cpuShares, processors: count }: LimitFacts, warn: (text: string) => void) {
  if (draft.NanoCpus > 0 && draft.CpuPeriod > 0)
    fail('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (draft.NanoCpus > 0 && draft.CpuQuota > 0) fail('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (draft.NanoCpus > 0 && !cpuCfs)
    fail('NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted');
  if (draft.NanoCpus < 0 || draft.NanoCpus > count * 1e9)
    fail(`range of CPUs is from 0.01 to ${count}.00, as there are only ${count} CPUs available`);
  if (draft.CpuShares > 0 && !cpuShares) {
    warn(LACKING.cpuShares);
    draft.CpuShares = 0;
  }
  if ((draft.CpuPeriod !== 0 || draft.CpuQuota !== 0) && !cpuCfs) {
    warn(LACKING.cpuCfs);
    draft.CpuPeriod = 0;
    draft.CpuQuota = 0;
  }
  if (draft.CpuPeriod !== 0 && (draft.CpuPeriod < 1000 || draft.CpuPeriod > 1_000_000))
    fail('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  if (draft.CpuQuota > 0 && draft.CpuQuota < 1000) fail('CPU cfs quota can not be less than 1ms (i.e. 1000)');
}

function cpusets(draft: Draft, { cpuset, cpus, mems }: LimitFacts, warn: (text: string) => void): void {
  if ((draft.CpusetCpus !== '' || draft.CpusetMems !== '') && !cpuset) {
    warn(LACKING.cpuset);
    draft.CpusetCpus = '';
    draft.CpusetMems = '';
  }
  const check = (requested: string, available: string, name: string, what: string) => {
    if (!readable(requested, available, `Invalid value ${requested} for cpuset ${name}`))
      fail(`Requested ${what} are not available - requested ${requested}, available: ${available}`);
  };
  check(draft.CpusetCpus, cpus, 'cpus', 'CPUs');
  check(draft.CpusetMems, mems, 'mems', 'memory nodes');
}

function readable(requested: string, available: string, wrong: string): boolean {
  try {
    return isAvailable(requested, available);
  } catch (error) {
    if (error instanceof RangeError) return fail(`${wrong}: ${error.message}`);
    throw error;
  }
}

function blockIo(draft: Draft, { blockIoWeight, blockIoThrottle }: LimitFacts, warn: (text: string) => void): void {
  if (draft.BlkioWeight > 0 && !blockIoWeight) {
    warn(LACKING.weight);
    draft.BlkioWeight = 0;
  }
  if (draft.BlkioWeight > 0 && (draft.BlkioWeight < 10 || draft.BlkioWeight > 1000))
    fail('Range of blkio weight is from 10 to 1000');
  if (draft.BlkioWeightDevice.length > 0 && !blockIoWeight) {
    warn(LACKING.weightDevice);
    draft.BlkioWeightDevice = [];
  }
  const throttles = [
    ['BlkioDeviceReadBps', LACKING.readBps],
    ['BlkioDeviceWriteBps', LACKING.writeBps],
    ['BlkioDeviceReadIOps', LACKING.readIops],
    ['BlkioDeviceWriteIOps', LACKING.writeIops],
  ] as const;
  for (const [key, warning] of throttles)
    if (draft[key].length > 0 && !blockIoThrottle) {
      warn(warning);
      draft[key] = [];
    }
}
