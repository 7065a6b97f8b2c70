import { expect, test } from 'vitest';
import type { ContainerStats } from '../kernel/cgroup/container-group.ts';
import { parseNetDev, parseSystemCpu, statsAnswer, type StatsSample } from './stats-shape.ts';

const group: ContainerStats = {
  cpu: {
    usageNs: 500,
    userNs: 300,
    systemNs: 200,
    perCpuNs: [100, 400],
    periods: 5,
    throttledPeriods: 2,
    throttledNs: 77,
  },
  memory: { usageBytes: 1000, maxUsageBytes: 2000, limitBytes: 2 ** 60, failcnt: 3, stat: { cache: 1 }, oomKills: 0 },
  pids: { current: 2, limit: 100 },
  io: [{ major: 8, minor: 0, readBytes: 10, writeBytes: 20, readOperations: 1, writeOperations: 2 }],
};
const sample: StatsSample = {
  atNs: 1_795_207_332_250_000_000n,
  cgroupVersion: '1',
  group,
  systemCpuNs: 9000,
  onlineCpus: 2,
  hostMemoryBytes: 4096,
  networks: parseNetDev(
    'Inter-|   Receive\n face |bytes    packets\n    lo: 9 9 9 9 0 0 0 0 9 9 9 9 0 0 0 0\n  eth0:  100 2 3 4 0 0 0 0 200 6 7 8 0 0 0 0\n',
  ),
};
const of = { id: 'abc', name: 'web' };

test('a sample of v1 has what v1 counts, and the one before it', () => {
  const before = { ...sample, atNs: sample.atNs - 1_000_000_000n, systemCpuNs: 8000 };
  const answer = statsAnswer(of, sample, before);
  expect(answer).toMatchObject({
    id: 'abc',
    name: '/web',
    read: '2026-11-20T20:42:12.25Z',
    preread: '2026-11-20T20:42:11.25Z',
    pids_stats: { current: 2, limit: 100 },
    cpu_stats: {
      cpu_usage: { total_usage: 500, percpu_usage: [100, 400], usage_in_kernelmode: 200, usage_in_usermode: 300 },
      system_cpu_usage: 9000,
      online_cpus: 2,
      throttling_data: { periods: 5, throttled_periods: 2, throttled_time: 77 },
    },
    precpu_stats: { system_cpu_usage: 8000 },
    memory_stats: { usage: 1000, max_usage: 2000, failcnt: 3, limit: 4096, stats: { cache: 1 } },
    networks: { eth0: { rx_bytes: 100, rx_packets: 2, rx_errors: 3, rx_dropped: 4, tx_bytes: 200, tx_dropped: 8 } },
  });
  expect(answer.blkio_stats).toMatchObject({
    io_service_bytes_recursive: [
      { major: 8, minor: 0, op: 'Read', value: 10 },
      { major: 8, minor: 0, op: 'Write', value: 20 },
      { major: 8, minor: 0, op: 'Total', value: 30 },
    ],
    io_queue_recursive: [],
  });
});

test('a sample of v2 has no field that only v1 knows', () => {
  const v2 = {
    ...sample,
    cgroupVersion: '2' as const,
    networks: null,
    group: {
      ...group,
      cpu: { ...group.cpu, perCpuNs: null },
      memory: { ...group.memory, maxUsageBytes: null, failcnt: null },
      pids: { current: 1, limit: null },
    },
  };
  const answer = statsAnswer(of, v2, null);
  expect(answer.blkio_stats).toMatchObject({
    io_service_bytes_recursive: [{ op: 'read' }, { op: 'write' }],
    io_serviced_recursive: null,
    sectors_recursive: null,
  });
  expect(answer.memory_stats).toEqual({ usage: 1000, stats: { cache: 1 }, limit: 4096 });
  expect(answer.pids_stats).toEqual({ current: 1 });
  expect(answer.cpu_stats.cpu_usage).not.toHaveProperty('percpu_usage');
  expect(answer).not.toHaveProperty('networks');
  expect([answer.preread, answer.precpu_stats.cpu_usage.total_usage]).toEqual(['0001-01-01T00:00:00Z', 0]);
});

test('of what does not run there are names and empty objects', () => {
  expect(statsAnswer(of, null, null)).toMatchObject({
    id: 'abc',
    name: '/web',
    read: '0001-01-01T00:00:00Z',
    memory_stats: {},
    pids_stats: {},
    cpu_stats: { cpu_usage: { total_usage: 0 } },
  });
});

test('the host’s processors are counted, and their time up to softirq', () => {
  const text = 'cpu  10 20 30 40 50 60 70 80 90 100\ncpu0 5 10 15 20 25 30 35 40 45 50\ncpu1 5 10 15 20\nintr 1\n';
  expect(parseSystemCpu(text)).toEqual({ systemCpuNs: 280 * 1e7, onlineCpus: 2 });
});
