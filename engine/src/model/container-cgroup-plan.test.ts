import { expect, test } from 'vitest';
import type { CgroupHost } from './cgroup-host.ts';
import {
  type ContainerWrite,
  containerHierarchies,
  cpuWeight,
  ioWeight,
  planContainerV1,
  planContainerV2,
} from './container-cgroup-plan.ts';
import { ALL_DEVICES, DOCKER_DEVICES, parseDeviceRule } from './default-devices.ts';
import type { OciResources } from './oci-spec.ts';

const shown = (writes: readonly ContainerWrite[]) =>
  writes.map(
    ({ file, value, mayLack, otherwise }) =>
      `${file} ${value}${mayLack ? ' ?' : ''}${otherwise ? ` | ${otherwise.file} ${otherwise.value}` : ''}`,
  );

const MIB = 2 ** 20;
const all: OciResources = {
  memory: { limit: 64 * MIB, swap: 128 * MIB, reservation: 32 * MIB, swappiness: 0, disableOOMKiller: true },
  cpu: { shares: 512, quota: 50_000, period: 100_000, cpus: '0-1', mems: '0' },
  pids: { limit: 20 },
  blockIO: {
    weight: 500,
    weightDevice: [{ major: 8, minor: 0, weight: 100 }],
    throttleReadBpsDevice: [{ major: 8, minor: 0, rate: 1_048_576 }],
    throttleWriteBpsDevice: [{ major: 8, minor: 0, rate: 2_097_152 }],
    throttleReadIOPSDevice: [{ major: 8, minor: 16, rate: 100 }],
    throttleWriteIOPSDevice: [{ major: 8, minor: 16, rate: 0 }],
  },
};

test('v1: every limit', () => {
  expect(shown(planContainerV1(all))).toEqual([
    'memory.limit_in_bytes 67108864',
    'memory.memsw.limit_in_bytes 134217728',
    'memory.soft_limit_in_bytes 33554432',
    'memory.swappiness 0',
    'memory.oom_control 1',
    'cpu.shares 512',
    'cpu.cfs_period_us 100000',
    'cpu.cfs_quota_us 50000',
    'cpuset.cpus 0-1',
    'cpuset.mems 0',
    'pids.max 20',
    'blkio.bfq.weight 500 | blkio.weight 500',
    'blkio.bfq.weight_device 8:0 100 | blkio.weight_device 8:0 100',
    'blkio.throttle.read_bps_device 8:0 1048576',
    'blkio.throttle.write_bps_device 8:0 2097152',
    'blkio.throttle.read_iops_device 8:16 100',
    'blkio.throttle.write_iops_device 8:16 0',
  ]);
});

test('v2: every limit that it has', () => {
  expect(shown(planContainerV2(all))).toEqual([
    'memory.swap.max 67108864',
    'memory.max 67108864',
    'memory.low 33554432',
    'cpu.weight 59',
    'cpu.max 50000 100000',
    'cpuset.cpus 0-1',
    'cpuset.mems 0',
    'pids.max 20',
    'io.bfq.weight 500 | io.weight 4950',
    'io.bfq.weight 8:0 100 | io.weight 8:0 910',
    'io.max 8:0 rbps=1048576',
    'io.max 8:0 wbps=2097152',
    'io.max 8:16 riops=100',
    'io.max 8:16 wiops=max',
  ]);
});

test('v1: devices are cleared, then config.json’s and the runtime’s are allowed; none where all are', () => {
  const writes = shown(planContainerV1({ devices: [...DOCKER_DEVICES, parseDeviceRule('b 7:* rw')] }));
  expect(writes).toEqual([
    'devices.deny a',
    'devices.allow c 5:1 rwm',
    'devices.allow b 7:* rw',
    'devices.allow c *:* m',
    'devices.allow b *:* m',
    ...['1:3', '1:8', '1:7', '5:0', '1:5', '1:9', '136:*', '5:2', '10:200'].map((one) => `devices.allow c ${one} rwm`),
  ]);
  expect(planContainerV1({ devices: ALL_DEVICES })).toEqual([]);
});

test('nothing limited, nothing written', () => {
  for (const plan of [planContainerV1, planContainerV2]) {
    expect(plan({})).toEqual([]);
    expect(plan({ memory: {}, cpu: { shares: 0, quota: 0, cpus: '' }, blockIO: { weight: 0 } })).toEqual([]);
  }
  expect(shown(planContainerV2({ pids: { limit: -1 } }))).toEqual(['pids.max max']);
});

test('v1: memory and swap change in the order that never leaves memory above both', () => {
  const memory = (limit: number, swap: number, memoryBytes: number) =>
    shown(planContainerV1({ memory: { limit, swap } }, { memoryBytes, cpuPeriodUs: 100_000, cpuQuotaUs: -1 }));
  const raised = ['memory.memsw.limit_in_bytes 400', 'memory.limit_in_bytes 200'];
  expect(memory(200, 400, 100)).toEqual(raised);
  expect(memory(200, 400, 500)).toEqual(raised.toReversed());
  expect(memory(200, 400, Number.POSITIVE_INFINITY)).toEqual(raised.toReversed());
  expect(memory(200, -1, 500)[0]).toBe('memory.memsw.limit_in_bytes -1 ?');
  expect(shown(planContainerV1({ memory: { limit: -1 } }))).toEqual([
    'memory.memsw.limit_in_bytes -1 ?',
    'memory.limit_in_bytes -1',
  ]);
});

test('v2: swap is what is left of both together', () => {
  const swap = (limit: number, both: number) => shown(planContainerV2({ memory: { limit, swap: both } }))[0];
  expect(swap(100, 100)).toBe('memory.swap.max 0 ?');
  expect(swap(100, 300)).toBe('memory.swap.max 200');
  expect(swap(100, -1)).toBe('memory.swap.max max ?');
  expect(swap(100, 0)).toBe('memory.max 100');
  expect(swap(-1, 0)).toBe('memory.swap.max max ?');
  expect(() => swap(0, 100)).toThrow('Cannot bound swap: on cgroup v2 it needs the memory limit beside it');
  expect(() => swap(100, 99)).toThrow('Minimum memoryswap limit should be larger than memory limit, see usage');
});

test('v1: period and quota change in the order that never exceeds both the old and the new share', () => {
  const cpu = (period: number, quota: number, cpuPeriodUs: number, cpuQuotaUs: number) =>
    shown(planContainerV1({ cpu: { period, quota } }, { memoryBytes: 0, cpuPeriodUs, cpuQuotaUs })).map(
      (write) => write.split(' ')[0],
    );
  const periodFirst = ['cpu.cfs_period_us', 'cpu.cfs_quota_us'];
  // 20 % -> 10 %: by way of 5 % with the quota first, of 40 % with the period first.
  expect(cpu(50_000, 5_000, 100_000, 20_000)).toEqual(periodFirst.toReversed());
  expect(cpu(200_000, 40_000, 100_000, 20_000)).toEqual(periodFirst);
  expect(cpu(50_000, 5_000, 100_000, -1)).toEqual(periodFirst);
});

test('v2: quota and period share a file; what is not asked for stays', () => {
  const current = { memoryBytes: 0, cpuPeriodUs: 50_000, cpuQuotaUs: 25_000 };
  expect(shown(planContainerV2({ cpu: { quota: 10_000 } }, current))).toEqual(['cpu.max 10000 50000']);
  expect(shown(planContainerV2({ cpu: { period: 20_000 } }, current))).toEqual(['cpu.max 25000 20000']);
  expect(shown(planContainerV2({ cpu: { quota: -1 } }, current))).toEqual(['cpu.max max 50000']);
  expect(shown(planContainerV2({ cpu: { quota: 10_000 } }))).toEqual(['cpu.max 10000 100000']);
});

test('shares and weights: ends, default and middle', () => {
  expect([0, 2, 1024, 262_144, 300_000].map(cpuWeight)).toEqual([1, 1, 100, 10_000, 10_000]);
  expect([10, 500, 1000].map(ioWeight)).toEqual([1, 4950, 10_000]);
  for (const plan of [planContainerV1, planContainerV2]) {
    expect(() => plan({ cpu: { shares: 1 } })).toThrow('the minimum allowed cpu-shares is 2');
    expect(() => plan({ cpu: { shares: 262_145 } })).toThrow('the maximum allowed cpu-shares is 262144');
  }
});

test('v1 groups are made only where something is counted, limited, halted or ended', () => {
  const names = 'cpu cpuacct cpuset memory devices freezer blkio pids net_cls hugetlb name=systemd'.split(' ');
  const hierarchies = names.map((name) => ({ controllers: [name], mountPoint: `/cg/${name}` }));
  const hybrid: CgroupHost = { flavour: 'hybrid', hierarchies, unified: '/cg/unified' };
  const needed = (host: CgroupHost, resources: OciResources) =>
    containerHierarchies(host, resources)
      .map(({ controllers }) => controllers.join())
      .join(' ');
  expect(needed(hybrid, {})).toBe('cpu cpuacct cpuset memory blkio pids');
  expect(needed(hybrid, { devices: [{ allow: false }] })).toBe('cpu cpuacct cpuset memory devices blkio pids');
  expect(needed(hybrid, { devices: ALL_DEVICES })).toBe('cpu cpuacct cpuset memory blkio pids');
  expect(needed({ flavour: 'v1', hierarchies, unified: null }, {})).toBe(
    'cpu cpuacct cpuset memory freezer blkio pids name=systemd',
  );
  expect(needed({ flavour: 'v2', hierarchies: [], unified: '/cg' }, {})).toBe('');
});
