// What `docker stats` is told: samples of a container's control files in the shape of moby's API (ContainerStatsResponse).
// Pure; the fields that v1 or v2 alone has are there for it alone, as in Docker's own answers.
import type { ContainerStats } from '../kernel/cgroup/container-group.ts';
import { rfc3339Nano } from '../model/go-time.ts';

export interface NetworkCounters {
  readonly rx_bytes: number;
  readonly rx_packets: number;
  readonly rx_errors: number;
  readonly rx_dropped: number;
  readonly tx_bytes: number;
  readonly tx_packets: number;
  readonly tx_errors: number;
  readonly tx_dropped: number;
}

export interface StatsSample {
  readonly atNs: bigint;
  readonly cgroupVersion: '1' | '2';
  readonly group: ContainerStats;
  /** Time of all processors of the host together, busy or not. */
  readonly systemCpuNs: number;
  readonly onlineCpus: number;
  readonly hostMemoryBytes: number;
  /** By interface, without the loopback; null: it has no network, or the host's. */
  readonly networks: Readonly<Record<string, NetworkCounters>> | null;
}

const NEVER = '0001-01-01T00:00:00Z';
const NO_CPU = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
} as const;
const BLKIO_V1 = [
  'io_queue_recursive',
  'io_service_time_recursive',
  'io_wait_time_recursive',
  'io_merged_recursive',
  'io_time_recursive',
  'sectors_recursive',
] as const;

function cpuOf({ group, systemCpuNs, onlineCpus }: StatsSample) {
  const { cpu } = group;
  return {
    cpu_usage: {
      total_usage: cpu.usageNs,
      ...(cpu.perCpuNs && { percpu_usage: cpu.perCpuNs }),
      usage_in_kernelmode: cpu.systemNs,
      usage_in_usermode: cpu.userNs,
    },
    system_cpu_usage: systemCpuNs,
    online_cpus: onlineCpus,
    throttling_data: {
      periods: cpu.periods,
      throttled_periods: cpu.throttledPeriods,
      throttled_time: cpu.throttledNs,
    },
  };
}

function blkioOf({ group, cgroupVersion }: StatsSample) {
  const isV1 = cgroupVersion === '1';
  const entries = (read: 'readBytes' | 'readOperations', write: 'writeBytes' | 'writeOperations') =>
    group.io.flatMap((device) => {
      const { major, minor, [read]: reads, [write]: writes } = device;
      const entry = (op: string, value: number) => ({ major, minor, op, value });
      return isV1
        ? [entry('Read', reads), entry('Write', writes), entry('Total', reads + writes)]
        : [entry('read', reads), entry('write', writes)];
    });
  const others = Object.fromEntries(BLKIO_V1.map((name) => [name, isV1 ? [] : null]));
  return {
    io_service_bytes_recursive: entries('readBytes', 'writeBytes'),
    io_serviced_recursive: isV1 ? entries('readOperations', 'writeOperations') : null,
    ...others,
  };
}

function memoryOf({ group, hostMemoryBytes }: StatsSample) {
  const { memory } = group;
  return {
    usage: memory.usageBytes,
    ...(memory.maxUsageBytes !== null && { max_usage: memory.maxUsageBytes }),
    stats: memory.stat,
    ...(memory.failcnt && { failcnt: memory.failcnt }),
    // Without a limit it is what the host has.
    limit: Math.min(memory.limitBytes, hostMemoryBytes),
  };
}

/** One answer. `before`: the sample before it, which clients need for percentages. */
export function statsAnswer(
  of: { readonly id: string; readonly name: string },
  sample: StatsSample | null,
  before: StatsSample | null,
) {
  const named = { name: `/${of.name}`, id: of.id, num_procs: 0, storage_stats: {} };
  if (!sample)
    return {
      ...named,
      read: NEVER,
      preread: NEVER,
      pids_stats: {},
      blkio_stats: Object.fromEntries(
        ['io_service_bytes_recursive', 'io_serviced_recursive', ...BLKIO_V1].map((name) => [name, null]),
      ),
      cpu_stats: NO_CPU,
      precpu_stats: NO_CPU,
      memory_stats: {},
    };
  const { pids } = sample.group;
  return {
    ...named,
    read: rfc3339Nano(sample.atNs),
    preread: before ? rfc3339Nano(before.atNs) : NEVER,
    pids_stats: { current: pids.current, ...(pids.limit !== null && { limit: pids.limit }) },
    blkio_stats: blkioOf(sample),
    cpu_stats: cpuOf(sample),
    precpu_stats: before ? cpuOf(before) : NO_CPU,
    memory_stats: memoryOf(sample),
    ...(sample.networks && { networks: sample.networks }),
  };
}

/** /proc/stat: the time of all processors together in nanoseconds (as Docker counts it: up to softirq), and how many they are. */
export function parseSystemCpu(text: string): { systemCpuNs: number; onlineCpus: number } {
  const ticks = /^cpu +(.*)$/m.exec(text)?.[1]?.split(' ').slice(0, 7).map(Number) ?? [];
  const systemCpuNs = ticks.reduce((sum, one) => sum + one, 0) * (1e9 / 100); // USER_HZ is 100 (proc(5))
  return { systemCpuNs, onlineCpus: text.match(/^cpu\d+ /gm)?.length ?? 1 };
}

/** /proc/PID/net/dev. */
export function parseNetDev(text: string): Record<string, NetworkCounters> {
  const networks: Record<string, NetworkCounters> = {};
  for (const line of text.split('\n')) {
    const match = /^ *([^:\s]+): *(.*)$/.exec(line);
    const name = match?.[1];
    if (name === undefined || name === 'lo') continue;
    const count = (match?.[2] ?? '').trim().split(/ +/).map(Number);
    const at = (index: number) => count[index] ?? 0;
    networks[name] = {
      rx_bytes: at(0),
      rx_packets: at(1),
      rx_errors: at(2),
      rx_dropped: at(3),
      tx_bytes: at(8),
      tx_packets: at(9),
      tx_errors: at(10),
      tx_dropped: at(11),
    };
  }
  return networks;
}
