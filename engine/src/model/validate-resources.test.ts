import { expect, test } from 'vitest';
import type { ContainerResources } from './container-config.ts';
import { EngineError } from './engine-error.ts';
import { type LimitFacts, limitWarnings, supportedResources } from './limit-facts.ts';
import { NO_LIMITS } from './oci-resources.ts';
import { validateResources } from './validate-resources.ts';

const ALL_LIMITS: LimitFacts = {
  memory: true,
  swap: true,
  reservation: true,
  oomKillDisable: true,
  swappiness: true,
  cpuShares: true,
  cpuCfs: true,
  cpuRealtime: true,
  pids: true,
  cpuset: true,
  cpus: '0-1',
  mems: '0',
  blockIoWeight: true,
  blockIoThrottle: true,
  devices: true,
  processors: 2,
};

/** A host that can enforce nothing. */
const LACKING_ALL: LimitFacts = {
  memory: false,
  swap: false,
  reservation: false,
  oomKillDisable: false,
  swappiness: false,
  cpuShares: false,
  cpuCfs: false,
  cpuRealtime: false,
  pids: false,
  cpuset: false,
  cpus: '',
  mems: '',
  blockIoWeight: false,
  blockIoThrottle: false,
  devices: false,
  processors: 2,
};

const MIB = 2 ** 20;
type Some = Partial<ContainerResources>;
const validate = (some: Some, facts = ALL_LIMITS, update = false) =>
  validateResources({ ...NO_LIMITS, ...some }, facts, update);

test('what is not limited passes as it is', () => {
  expect(validate({})).toEqual({ resources: NO_LIMITS, warnings: [] });
  expect(validate({}, LACKING_ALL)).toEqual({ resources: NO_LIMITS, warnings: [] });
});

test('limits within bounds pass as they are', () => {
  const some: Some = {
    Memory: 6 * MIB,
    MemorySwap: 12 * MIB,
    MemoryReservation: 6 * MIB,
    MemorySwappiness: 100,
    OomKillDisable: false,
    NanoCpus: 2e9,
    CpusetCpus: '0-1',
    CpusetMems: '0',
    BlkioWeight: 10,
    PidsLimit: 1,
  };
  expect(validate(some)).toEqual({ resources: { ...NO_LIMITS, ...some }, warnings: [] });
  expect(validate({ MemorySwappiness: -1 }).resources.MemorySwappiness).toBeNull();
});

const refused: [Some, string][] = [
  [{ Memory: MIB }, 'Minimum memory limit allowed is 6MB'],
  [{ Memory: -1 }, 'Minimum memory limit allowed is 6MB'],
  [{ Memory: 10 * MIB, MemorySwap: 9 * MIB }, 'Minimum memoryswap limit should be larger than memory limit, see usage'],
  [{ MemorySwap: 9 * MIB }, 'You should always set the Memory limit when using Memoryswap limit, see usage'],
  [{ MemorySwappiness: 101 }, 'Invalid value: 101, valid memory swappiness range is 0-100'],
  [{ MemorySwappiness: -2 }, 'Invalid value: -2, valid memory swappiness range is 0-100'],
  [{ MemoryReservation: MIB }, 'Minimum memory reservation allowed is 6MB'],
  [
    { Memory: 10 * MIB, MemoryReservation: 11 * MIB },
    'Minimum memory limit can not be less than memory reservation limit, see usage',
  ],
  [{ NanoCpus: 1e9, CpuPeriod: 1000 }, 'Conflicting options: Nano CPUs and CPU Period cannot both be set'],
  [{ NanoCpus: 1e9, CpuQuota: 1000 }, 'Conflicting options: Nano CPUs and CPU Quota cannot both be set'],
  [{ NanoCpus: 2.5e9 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
  [{ NanoCpus: -1 }, 'range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available'],
  [{ CpuPeriod: 999 }, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
  [{ CpuPeriod: 1_000_001 }, 'CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)'],
  [{ CpuQuota: 999 }, 'CPU cfs quota can not be less than 1ms (i.e. 1000)'],
  [{ CpusetCpus: '0-' }, 'Invalid value 0- for cpuset cpus: invalid format: 0-'],
  [{ CpusetCpus: '1-2' }, 'Requested CPUs are not available - requested 1-2, available: 0-1'],
  [{ CpusetMems: 'x' }, 'Invalid value x for cpuset mems: invalid format: x'],
  [{ CpusetMems: '1' }, 'Requested memory nodes are not available - requested 1, available: 0'],
  [{ CpusetMems: '9999' }, 'Invalid value 9999 for cpuset mems: value of out range, maximum is 8192'],
  [{ BlkioWeight: 9 }, 'Range of blkio weight is from 10 to 1000'],
  [{ BlkioWeight: 1001 }, 'Range of blkio weight is from 10 to 1000'],
];

test.each(refused)('%o is refused as Docker does', (some, message) => {
  expect(() => validate(some)).toThrow(new EngineError('invalid_argument', message));
});

test('update may bound memory and swap together of a container whose memory is bounded already', () => {
  expect(validate({ MemorySwap: 9 * MIB }, ALL_LIMITS, true).warnings).toEqual([]);
});

test('what the host lacks is dropped, each with Docker’s warning', () => {
  const { resources, warnings } = validate(
    {
      Memory: 64 * MIB,
      MemorySwap: 64 * MIB,
      MemorySwappiness: 0,
      MemoryReservation: 32 * MIB,
      OomKillDisable: true,
      PidsLimit: 5,
      CpuShares: 5,
      CpuPeriod: 5000,
      CpusetCpus: '0',
      BlkioWeight: 5,
      BlkioWeightDevice: [{ Path: '/dev/a', Weight: 5 }],
      BlkioDeviceReadBps: [{ Path: '/dev/a', Rate: 5 }],
      BlkioDeviceWriteBps: [{ Path: '/dev/a', Rate: 5 }],
      BlkioDeviceReadIOps: [{ Path: '/dev/a', Rate: 5 }],
      BlkioDeviceWriteIOps: [{ Path: '/dev/a', Rate: 5 }],
    },
    LACKING_ALL,
  );
  expect(resources).toEqual({ ...NO_LIMITS, MemorySwap: -1 });
  expect(warnings).toEqual([
    'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
    'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
    'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
    'Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.',
    'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
    'Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.',
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
    'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
    'Your kernel does not support BPS Block I/O read limit or the cgroup is not mounted. Block I/O BPS read limit discarded.',
    'Your kernel does not support BPS Block I/O write limit or the cgroup is not mounted. Block I/O BPS write limit discarded.',
    'Your kernel does not support IOPS Block read limit or the cgroup is not mounted. Block I/O IOPS read limit discarded.',
    'Your kernel does not support IOPS Block write limit or the cgroup is not mounted. Block I/O IOPS write limit discarded.',
  ]);
});

test('a host without swap accounting bounds memory alone, and says so once it would have bounded swap', () => {
  const facts = { ...ALL_LIMITS, swap: false };
  expect(validate({ Memory: 64 * MIB }, facts)).toMatchObject({
    resources: { Memory: 64 * MIB, MemorySwap: -1 },
    warnings: [
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
    ],
  });
  expect(validate({ Memory: 64 * MIB, MemorySwap: -1 }, facts).warnings).toEqual([]);
});

test('what is off anyway is dropped without a word; no OOM killer without a limit is warned of', () => {
  const facts = { ...ALL_LIMITS, oomKillDisable: false, pids: false };
  const { resources, warnings } = validate({ OomKillDisable: false, PidsLimit: 0 }, facts);
  expect(resources).toMatchObject({ OomKillDisable: null, PidsLimit: null });
  expect(warnings).toEqual([]);
  expect(validate({ OomKillDisable: true }).warnings).toEqual([
    'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
  ]);
});

test('NanoCPUs without CFS are refused, not dropped', () => {
  expect(() => validate({ NanoCpus: 1e9 }, LACKING_ALL)).toThrow(
    'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
  );
});

test('the same for limits of config.json', () => {
  const wanted = {
    memory: { limit: 5, swap: 6, disableOOMKiller: false },
    cpu: { quota: 1000, period: 5000 },
    pids: { limit: 3 },
    blockIO: { weight: 10, weightDevice: [] },
    devices: [],
  };
  expect(supportedResources(ALL_LIMITS, wanted)).toEqual({ resources: wanted, warnings: [] });
  expect(supportedResources(LACKING_ALL, wanted)).toEqual({
    resources: { memory: {}, cpu: {}, blockIO: {}, devices: [] },
    warnings: [
      'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
      'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
      'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
      'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
      'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
    ],
  });
});

test('docker info warns of what the host lacks, in the words of its control groups', () => {
  expect(limitWarnings(ALL_LIMITS, '1')).toEqual([]);
  const common = ['memory limit', 'swap limit', 'cpu cfs quota', 'cpu cfs period', 'cpu shares', 'cpuset'];
  const warned = (cgroupVersion: '1' | '2') =>
    limitWarnings(LACKING_ALL, cgroupVersion).map((text) => /^WARNING: No (.*) support$/.exec(text)?.[1]);
  expect(warned('1')).toEqual([
    ...common.toSpliced(2, 0, 'oom kill disable'),
    'blkio throttle.read_bps_device',
    'blkio throttle.write_bps_device',
    'blkio throttle.read_iops_device',
    'blkio throttle.write_iops_device',
  ]);
  expect(warned('2')).toEqual([
    ...common,
    'io.weight',
    'io.weight (per device)',
    'io.max (rbps)',
    'io.max (wbps)',
    'io.max (riops)',
    'io.max (wiops)',
  ]);
});
