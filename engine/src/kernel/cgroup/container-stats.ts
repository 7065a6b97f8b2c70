// What the control files of a container's groups count, in the same units on v1 and v2. Reads only.
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { hierarchyOf } from '../../model/cgroup-host.ts';
import type { CurrentLimits } from '../../model/container-cgroup-plan.ts';
import { parseBlkio, parseIoStat } from '../../model/io-stat.ts';
import { SysError } from '../../model/engine-error.ts';
import type { ContainerStats } from './container-group.ts';
import { type ContainerPlace, placeDirectory } from './container-place.ts';
import { errnoOf, readKeyed, readNumber } from './files.ts';
import { v1OomKillsIn } from './v1.ts';

/** cpuacct.stat counts in USER_HZ, which user space always sees as 100 a second (man 7 time). */
const TICK_NS = 10_000_000;

/** Path of a file in the group of a controller; one that no host has where the controller is not mounted. */
function fileOf(place: ContainerPlace, controller: string, file: string): string {
  const { host } = place;
  const tree =
    host.flavour === 'v2' && host.unified !== null ? { mountPoint: host.unified } : hierarchyOf(host, controller);
  return join(tree ? placeDirectory(tree, place) : '/nonexistent', file);
}

/** "" for a file that is not there. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENODEV') return '';
    throw new SysError('read', errno, path);
  }
}

/** What can be used at most: the limit, or all of the machine's memory. */
const limitBytes = (limit: number | null) => Math.min(limit ?? Number.POSITIVE_INFINITY, totalmem());

const finite = (value: number | null) => (value === null || !Number.isFinite(value) ? null : value);

export function readStats(place: ContainerPlace): ContainerStats {
  return place.host.flavour === 'v2' ? statsV2(place) : statsV1(place);
}

export function readOomKills(place: ContainerPlace): number {
  if (place.host.flavour === 'v2') return readKeyed(fileOf(place, 'memory', 'memory.events')).get('oom_kill') ?? 0;
  const memory = hierarchyOf(place.host, 'memory');
  return memory ? v1OomKillsIn(placeDirectory(memory, place)) : 0;
}

/** What `update` has to know before it changes anything. */
export function readLimits(place: ContainerPlace): CurrentLimits {
  if (place.host.flavour === 'v2') {
    const [quota, period] = readText(fileOf(place, 'cpu', 'cpu.max'))
      .trim()
      .split(' ');
    return {
      memoryBytes: readNumber(fileOf(place, 'memory', 'memory.max')) ?? Number.POSITIVE_INFINITY,
      cpuPeriodUs: Number(period ?? 100_000),
      cpuQuotaUs: quota === undefined || quota === 'max' || quota === '' ? -1 : Number(quota),
    };
  }
  return {
    memoryBytes: readNumber(fileOf(place, 'memory', 'memory.limit_in_bytes')) ?? Number.POSITIVE_INFINITY,
    cpuPeriodUs: readNumber(fileOf(place, 'cpu', 'cpu.cfs_period_us')) ?? 100_000,
    cpuQuotaUs: readNumber(fileOf(place, 'cpu', 'cpu.cfs_quota_us')) ?? -1,
  };
}

function statsV1(place: ContainerPlace): ContainerStats {
  const file = (controller: string, name: string) => fileOf(place, controller, name);
  const cpuacct = readKeyed(file('cpuacct', 'cpuacct.stat'));
  const perCpu = readText(file('cpuacct', 'cpuacct.usage_percpu')).trim();
  const throttling = readKeyed(file('cpu', 'cpu.stat'));
  const count = (name: string) => readText(file('blkio', `blkio.throttle.${name}_recursive`));
  return {
    cpu: {
      usageNs: readNumber(file('cpuacct', 'cpuacct.usage')) ?? 0,
      userNs: (cpuacct.get('user') ?? 0) * TICK_NS,
      systemNs: (cpuacct.get('system') ?? 0) * TICK_NS,
      perCpuNs: perCpu === '' ? null : perCpu.split(/\s+/).map(Number),
      periods: throttling.get('nr_periods') ?? 0,
      throttledPeriods: throttling.get('nr_throttled') ?? 0,
      throttledNs: throttling.get('throttled_time') ?? 0,
    },
    memory: {
      usageBytes: readNumber(file('memory', 'memory.usage_in_bytes')) ?? 0,
      maxUsageBytes: readNumber(file('memory', 'memory.max_usage_in_bytes')),
      limitBytes: limitBytes(readNumber(file('memory', 'memory.limit_in_bytes'))),
      failcnt: readNumber(file('memory', 'memory.failcnt')),
      stat: Object.fromEntries(readKeyed(file('memory', 'memory.stat'))),
      oomKills: readOomKills(place),
    },
    pids: pidsOf(place),
    io: parseBlkio(count('io_service_bytes'), count('io_serviced')),
  };
}

function statsV2(place: ContainerPlace): ContainerStats {
  const file = (controller: string, name: string) => fileOf(place, controller, name);
  const cpu = readKeyed(file('cpu', 'cpu.stat'));
  const ns = (key: string) => (cpu.get(key) ?? 0) * 1000;
  return {
    cpu: {
      usageNs: ns('usage_usec'),
      userNs: ns('user_usec'),
      systemNs: ns('system_usec'),
      perCpuNs: null,
      periods: cpu.get('nr_periods') ?? 0,
      throttledPeriods: cpu.get('nr_throttled') ?? 0,
      throttledNs: ns('throttled_usec'),
    },
    memory: {
      usageBytes: readNumber(file('memory', 'memory.current')) ?? 0,
      maxUsageBytes: null,
      limitBytes: limitBytes(readNumber(file('memory', 'memory.max'))),
      failcnt: readKeyed(file('memory', 'memory.events')).get('max') ?? null,
      stat: Object.fromEntries(readKeyed(file('memory', 'memory.stat'))),
      oomKills: readOomKills(place),
    },
    pids: pidsOf(place),
    io: parseIoStat(readText(file('io', 'io.stat'))),
  };
}

const pidsOf = (place: ContainerPlace): ContainerStats['pids'] => ({
  current: readNumber(fileOf(place, 'pids', 'pids.current')) ?? 0,
  limit: finite(readNumber(fileOf(place, 'pids', 'pids.max'))),
});
