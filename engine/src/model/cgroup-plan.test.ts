import { expect, test } from 'vitest';
import { type GroupWrite, planHybrid, planIoV1, planIoV2, planV1, planV2 } from './cgroup-plan.ts';

const limits = { memoryBytes: 512 * 2 ** 20, cpus: 1, pids: 512 };
const shown = (writes: readonly GroupWrite[]) =>
  writes.map(({ group, file, value }) => `${group || '.'} ${file} ${value}`);

test('v2: the sandbox bounds learner and keepers together, inner bounds the learner', () => {
  expect(shown(planV2(limits))).toEqual([
    '. cgroup.max.descendants 128',
    '. cgroup.max.depth 8',
    '. cpu.weight 100',
    '. memory.max 603979776',
    '. memory.swap.max 0',
    '. pids.max 576',
    '. cpu.max 125000 100000',
    'inner memory.max 536870912',
    'inner memory.swap.max 0',
    'inner pids.max 512',
    'inner cpu.max 100000 100000',
    'inner memory.high 520764784',
  ]);
});

test('v1: limit before memory+swap, outer quota before inner, devices cleared before they are allowed', () => {
  const writes = shown(planV1(limits));
  const before = (a: string, b: string) => {
    expect(writes).toContain(a);
    expect(writes).toContain(b);
    expect(writes.indexOf(a)).toBeLessThan(writes.indexOf(b));
  };
  before('inner memory.limit_in_bytes 536870912', 'inner memory.memsw.limit_in_bytes 536870912');
  before('. cpu.cfs_quota_us 125000', 'inner cpu.cfs_quota_us 100000');
  before('inner devices.deny a', 'inner devices.allow c 1:3 rwm');
  before('. pids.max 576', 'inner pids.max 512');
  expect(writes.filter((write) => write.includes('devices.allow b'))).toEqual([]);
});

test('a small share of a processor is not below what the kernel takes', () => {
  const tiny = { ...limits, cpus: 0.001 };
  expect(shown(planV2(tiny))).toContain('inner cpu.max 1000 100000');
  expect(shown(planV2(tiny))).toContain('. cpu.weight 1');
  expect(shown(planV1(tiny))).toContain('. cpu.shares 2');
});

test('hybrid: only core files, no controllers', () => {
  expect(shown(planHybrid())).toEqual(['. cgroup.max.descendants 128', '. cgroup.max.depth 8']);
});

test('io: one line a device on v2, one file a bound on v1', () => {
  const io = [{ device: '7:3', readBytesPerSecond: 1_000_000, writeOperationsPerSecond: 50 }];
  expect(shown(planIoV2(io))).toEqual(['. io.max 7:3 rbps=1000000 wbps=max riops=max wiops=50']);
  expect(shown(planIoV1(io))).toEqual([
    '. blkio.throttle.read_bps_device 7:3 1000000',
    '. blkio.throttle.write_bps_device 7:3 0',
    '. blkio.throttle.read_iops_device 7:3 0',
    '. blkio.throttle.write_iops_device 7:3 50',
  ]);
});
