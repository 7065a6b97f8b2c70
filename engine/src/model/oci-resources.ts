// Docker's limits (HostConfig) -> those of config.json (linux.resources), and what `update` makes of them. Pure; moby 28.2:
// daemon_unix.go (get…Resources), oci_linux.go (WithResources, WithDevices), container_unix.go (UpdateContainer).
import type { ContainerResources, ThrottleDevice } from './container-config.ts';
import { ALL_DEVICES, DOCKER_DEVICES, parseDeviceRule } from './default-devices.ts';
import { EngineError } from './engine-error.ts';
import type { OciDeviceRule, OciResources, OciThrottle } from './oci-spec.ts';

export interface ResourceContext {
  readonly privileged: boolean;
  /** Rules for what --device maps, from the nodes on the host. */
  readonly devices: readonly OciDeviceRule[];
  /** Numbers of a block device by its path on the host; throws when there is none. */
  readonly numbersOf: (path: string) => { readonly major: number; readonly minor: number };
}

/** A container's limits where a client sets none. */
export const NO_LIMITS: ContainerResources = {
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: [],
  BlkioDeviceReadBps: [],
  BlkioDeviceWriteBps: [],
  BlkioDeviceReadIOps: [],
  BlkioDeviceWriteIOps: [],
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: [],
  DeviceCgroupRules: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: [],
};

const PERIOD_US = 100_000;

/** What a new container has that asked for less: as much swap as memory, and an OOM killer. */
export function adaptedResources<T extends ContainerResources>(resources: T): T {
  return {
    ...resources,
    ...(resources.Memory > 0 && resources.MemorySwap === 0 && { MemorySwap: resources.Memory * 2 }),
    OomKillDisable: resources.OomKillDisable ?? false,
  };
}

export function ociResources(resources: ContainerResources, context: ResourceContext): OciResources {
  return { ...ociLimits(resources, context.numbersOf), devices: deviceRules(resources, context) };
}

/** Without the devices: what `update` can change on a living container. */
export function ociLimits(resources: ContainerResources, numbersOf: ResourceContext['numbersOf']): OciResources {
  const { PidsLimit } = resources;
  return {
    memory: memory(resources),
    cpu: cpu(resources),
    ...(PidsLimit !== null && { pids: { limit: PidsLimit > 0 ? PidsLimit : -1 } }),
    blockIO: blockIo(resources, numbersOf),
  };
}

function deviceRules({ DeviceCgroupRules }: ContainerResources, { privileged, devices }: ResourceContext) {
  if (privileged) return ALL_DEVICES;
  return [...DOCKER_DEVICES, ...devices, ...(DeviceCgroupRules ?? []).map(parseDeviceRule)];
}

type Part<K extends keyof OciResources> = NonNullable<OciResources[K]>;

function memory(resources: ContainerResources): Part<'memory'> {
  const { Memory, MemoryReservation, MemorySwap, MemorySwappiness, OomKillDisable } = resources;
  return {
    ...(Memory > 0 && { limit: Memory }),
    ...(MemoryReservation > 0 && { reservation: MemoryReservation }),
    ...(MemorySwap !== 0 && { swap: MemorySwap > 0 ? MemorySwap : -1 }),
    ...(MemorySwappiness !== null && { swappiness: MemorySwappiness }),
    ...(OomKillDisable !== null && { disableOOMKiller: OomKillDisable }),
  };
}

function cpu(resources: ContainerResources): Part<'cpu'> {
  const { CpuShares, NanoCpus, CpuPeriod, CpuQuota, CpusetCpus, CpusetMems } = resources;
  if (CpuShares < 0)
    throw new EngineError('invalid_argument', `invalid CPU shares (${CpuShares}): value must be a positive integer`);
  const nano = NanoCpus > 0 ? { period: PERIOD_US, quota: Math.trunc((NanoCpus * PERIOD_US) / 1e9) } : {};
  return {
    ...(CpuShares !== 0 && { shares: CpuShares }),
    ...nano,
    ...(CpuPeriod !== 0 && { period: CpuPeriod }),
    ...(CpuQuota !== 0 && { quota: CpuQuota }),
    ...(resources.CpuRealtimePeriod !== 0 && { realtimePeriod: resources.CpuRealtimePeriod }),
    ...(resources.CpuRealtimeRuntime !== 0 && { realtimeRuntime: resources.CpuRealtimeRuntime }),
    ...(CpusetCpus !== '' && { cpus: CpusetCpus }),
    ...(CpusetMems !== '' && { mems: CpusetMems }),
  };
}

function blockIo(resources: ContainerResources, numbersOf: ResourceContext['numbersOf']): Part<'blockIO'> {
  const throttles = (devices: readonly ThrottleDevice[]): OciThrottle[] =>
    devices.map(({ Path, Rate }) => ({ ...numbersOf(Path), rate: Rate }));
  return {
    ...(resources.BlkioWeight !== 0 && { weight: resources.BlkioWeight }),
    weightDevice: resources.BlkioWeightDevice.map(({ Path, Weight }) => ({ ...numbersOf(Path), weight: Weight })),
    throttleReadBpsDevice: throttles(resources.BlkioDeviceReadBps),
    throttleWriteBpsDevice: throttles(resources.BlkioDeviceWriteBps),
    throttleReadIOPSDevice: throttles(resources.BlkioDeviceReadIOps),
    throttleWriteIOPSDevice: throttles(resources.BlkioDeviceWriteIOps),
  };
}

/** Fields that `update` takes over where they are set; all others stay as the container was created. */
const UPDATED = [
  'BlkioWeight',
  'CpuShares',
  'NanoCpus',
  'CpuPeriod',
  'CpuQuota',
  'CpuRealtimePeriod',
  'CpuRealtimeRuntime',
  'CpusetCpus',
  'CpusetMems',
  'Memory',
  'MemorySwap',
  'MemoryReservation',
] as const;

/**
 * A container's limits after `update`. Throws `conflict` for what goes together with neither the new nor the old ones, in
 * moby's words; the caller puts `Cannot update container <id>: ` before them.
 */
export function updatedResources<T extends ContainerResources>(current: T, wanted: ContainerResources): T {
  const conflict = (message: string) => {
    throw new EngineError('conflict', message);
  };
  if (wanted.NanoCpus > 0 && current.CpuPeriod > 0)
    conflict('Conflicting options: Nano CPUs cannot be updated as CPU Period has already been set');
  if (wanted.NanoCpus > 0 && current.CpuQuota > 0)
    conflict('Conflicting options: Nano CPUs cannot be updated as CPU Quota has already been set');
  if (wanted.CpuPeriod > 0 && current.NanoCpus > 0)
    conflict('Conflicting options: CPU Period cannot be updated as NanoCPUs has already been set');
  if (wanted.CpuQuota > 0 && current.NanoCpus > 0)
    conflict('Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set');
  // Also for a container whose swap has no limit (-1), as moby does: it wants both to be given then.
  if (wanted.Memory !== 0 && wanted.Memory > current.MemorySwap && wanted.MemorySwap === 0)
    conflict(
      'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time',
    );
  const set = UPDATED.filter((key) => wanted[key] !== 0 && wanted[key] !== '').map((key) => [key, wanted[key]]);
  return {
    ...current,
    ...Object.fromEntries(set),
    ...(wanted.PidsLimit !== null && { PidsLimit: wanted.PidsLimit }),
  };
}
