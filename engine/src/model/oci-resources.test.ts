import { expect, test } from 'vitest';
import type { ContainerResources } from './container-config.ts';
import { ALL_DEVICES, DOCKER_DEVICES, parseDeviceRule } from './default-devices.ts';
import { EngineError } from './engine-error.ts';
import { NO_LIMITS, type ResourceContext, adaptedResources, ociResources, updatedResources } from './oci-resources.ts';

const context: ResourceContext = {
  privileged: false,
  devices: [],
  numbersOf: (path) => ({ major: path.length, minor: 1 }),
};
type Some = Partial<ContainerResources>;
const oci = (some: Some, more: Partial<ResourceContext> = {}) =>
  ociResources({ ...NO_LIMITS, ...some }, { ...context, ...more });
const NO_IO = {
  weightDevice: [],
  throttleReadBpsDevice: [],
  throttleWriteBpsDevice: [],
  throttleReadIOPSDevice: [],
  throttleWriteIOPSDevice: [],
};

test('nothing limited: devices only', () => {
  expect(oci({})).toEqual({ memory: {}, cpu: {}, blockIO: NO_IO, devices: DOCKER_DEVICES });
});

test('every limit', () => {
  expect(
    oci({
      Memory: 64,
      MemorySwap: 128,
      MemoryReservation: 32,
      MemorySwappiness: 0,
      OomKillDisable: false,
      CpuShares: 512,
      CpuPeriod: 50_000,
      CpuQuota: -1,
      CpusetCpus: '0',
      CpusetMems: '1',
      PidsLimit: 9,
      BlkioWeight: 10,
      BlkioWeightDevice: [{ Path: '/dev/a', Weight: 20 }],
      BlkioDeviceReadBps: [{ Path: '/dev/ab', Rate: 5 }],
      BlkioDeviceWriteIOps: [{ Path: '/dev/abc', Rate: 6 }],
    }),
  ).toEqual({
    memory: { limit: 64, swap: 128, reservation: 32, swappiness: 0, disableOOMKiller: false },
    cpu: { shares: 512, period: 50_000, quota: -1, cpus: '0', mems: '1' },
    pids: { limit: 9 },
    blockIO: {
      ...NO_IO,
      weight: 10,
      weightDevice: [{ major: 6, minor: 1, weight: 20 }],
      throttleReadBpsDevice: [{ major: 7, minor: 1, rate: 5 }],
      throttleWriteIOPSDevice: [{ major: 8, minor: 1, rate: 6 }],
    },
    devices: DOCKER_DEVICES,
  });
});

test('--cpus is a quota of 100 ms; no bound on processes is -1', () => {
  expect(oci({ NanoCpus: 1.5e9 }).cpu).toEqual({ period: 100_000, quota: 150_000 });
  expect(oci({ NanoCpus: 12_345_678 }).cpu).toEqual({ period: 100_000, quota: 1234 });
  expect(oci({ PidsLimit: 0 }).pids).toEqual({ limit: -1 });
  expect(() => oci({ CpuShares: -1 })).toThrow('invalid CPU shares (-1): value must be a positive integer');
});

test('devices: Docker’s, those mapped, then --device-cgroup-rule; all with --privileged', () => {
  const mapped = { allow: true, type: 'c', major: 10, minor: 232, access: 'rw' } as const;
  expect(oci({ DeviceCgroupRules: ['c 42:* rmw'] }, { devices: [mapped] }).devices).toEqual([
    ...DOCKER_DEVICES,
    mapped,
    { allow: true, type: 'c', major: 42, access: 'rmw' },
  ]);
  expect(oci({ DeviceCgroupRules: ['c 42:* rmw'] }, { privileged: true }).devices).toEqual(ALL_DEVICES);
});

test.each(['c 7:128', 'd 7:128 rw', 'c 7:x r', 'c 7:1 rwmx', 'c  7:1 r', 'c 7:1 r '])('"%s" is no rule', (rule) => {
  expect(() => parseDeviceRule(rule)).toThrow(
    new EngineError('invalid_argument', `invalid device cgroup rule format: '${rule}'`),
  );
});

test('a new container has as much swap as memory, and an OOM killer', () => {
  const adapted = (some: Some) => adaptedResources({ ...NO_LIMITS, ...some });
  expect(adapted({ Memory: 64 })).toEqual({ ...NO_LIMITS, Memory: 64, MemorySwap: 128, OomKillDisable: false });
  expect(adapted({ Memory: 64, MemorySwap: -1, OomKillDisable: true })).toMatchObject({
    MemorySwap: -1,
    OomKillDisable: true,
  });
  expect(adapted({}).MemorySwap).toBe(0);
});

const update = (current: Some, wanted: Some) =>
  updatedResources({ ...NO_LIMITS, ...current }, { ...NO_LIMITS, ...wanted });

test('update takes over what is set, and keeps the rest', () => {
  const current: Some = { Memory: 64, MemorySwap: 128, CpuShares: 5, PidsLimit: 7, CpusetCpus: '0' };
  expect(update(current, {})).toEqual({ ...NO_LIMITS, ...current });
  expect(update(current, { Memory: 100, CpuQuota: -1, PidsLimit: 0, CpusetCpus: '1', BlkioWeight: 20 })).toEqual({
    ...NO_LIMITS,
    ...current,
    Memory: 100,
    CpuQuota: -1,
    PidsLimit: 0,
    CpusetCpus: '1',
    BlkioWeight: 20,
  });
  const devices = [{ Path: '/dev/a', Rate: 1 }];
  expect(update({}, { BlkioDeviceReadBps: devices }).BlkioDeviceReadBps).toEqual([]);
});

const conflicts: [Some, Some, string][] = [
  [
    { CpuPeriod: 1000 },
    { NanoCpus: 1 },
    'Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set',
  ],
  [
    { CpuQuota: 1000 },
    { NanoCpus: 1 },
    'Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set',
  ],
  [
    { NanoCpus: 1 },
    { CpuPeriod: 1000 },
    'Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set',
  ],
  [
    { NanoCpus: 1 },
    { CpuQuota: 1000 },
    'Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set',
  ],
  [
    { Memory: 64, MemorySwap: 128 },
    { Memory: 129 },
    'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
  ],
];

test.each(conflicts)('%o and %o conflict as Docker says', (current, wanted, message) => {
  expect(() => update(current, wanted)).toThrow(new EngineError('conflict', message));
});
