// Which limits a host can enforce, and what is left of a container's when it can't: with moby's warnings (daemon_unix.go,
// verifyPlatformContainerResources, 28.2), which clients print as they are. Pure; kernel/cgroup/limit-facts.ts looks.
import type { OciResources } from './oci-spec.ts';

/** moby's sysinfo, as far as it concerns limits. */
export interface LimitFacts {
  readonly memory: boolean;
  readonly swap: boolean;
  readonly reservation: boolean;
  readonly oomKillDisable: boolean;
  readonly swappiness: boolean;
  readonly cpuShares: boolean;
  /** Quota and period. */
  readonly cpuCfs: boolean;
  readonly cpuRealtime: boolean;
  readonly pids: boolean;
  readonly cpuset: boolean;
  /** Lists as the kernel writes them, "0-3,8"; empty without cpuset. */
  readonly cpus: string;
  readonly mems: string;
  readonly blockIoWeight: boolean;
  readonly blockIoThrottle: boolean;
  readonly devices: boolean;
  /** Processors that are online. */
  readonly processors: number;
}

const lacks = (what: string, lost: string) =>
  `Your kernel does not support ${what} or the cgroup is not mounted. ${lost}`;

/** moby's words for each limit that is dropped. */
export const LACKING = {
  memory: lacks('memory limit capabilities', 'Limitation discarded.'),
  swap: lacks('swap limit capabilities', 'Memory limited without swap.'),
  swappiness: lacks('memory swappiness capabilities', 'Memory swappiness discarded.'),
  reservation: lacks('memory soft limit capabilities', 'Limitation discarded.'),
  oomKillDisable: 'Your kernel does not support OomKillDisable. OomKillDisable discarded.',
  pids: lacks('PIDs limit capabilities', 'PIDs limit discarded.'),
  cpuShares: lacks('CPU shares', 'Shares discarded.'),
  cpuCfs: 'Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.',
  cpuset: lacks('cpuset', 'Cpuset discarded.'),
  weight: lacks('Block I/O weight', 'Weight discarded.'),
  weightDevice: lacks('Block I/O weight_device', 'Weight-device discarded.'),
  readBps: lacks('BPS Block I/O read limit', 'Block I/O BPS read limit discarded.'),
  writeBps: lacks('BPS Block I/O write limit', 'Block I/O BPS write limit discarded.'),
  readIops: lacks('IOPS Block read limit', 'Block I/O IOPS read limit discarded.'),
  writeIops: lacks('IOPS Block write limit', 'Block I/O IOPS write limit discarded.'),
} as const;

/** What `docker info` warns of (moby 28.2, daemon/info_unix.go); of what v2 has no more, and v1 since kernel 5.0, nothing. */
export function limitWarnings(facts: LimitFacts, cgroupVersion: '1' | '2'): string[] {
  const isV2 = cgroupVersion === '2';
  const lacking: [boolean, string][] = [
    [!facts.memory, 'memory limit'],
    [!facts.swap, 'swap limit'],
    [!facts.oomKillDisable && !isV2, 'oom kill disable'],
    [!facts.cpuCfs, 'cpu cfs quota'],
    [!facts.cpuCfs, 'cpu cfs period'],
    [!facts.cpuShares, 'cpu shares'],
    [!facts.cpuset, 'cpuset'],
    [!facts.blockIoWeight && isV2, 'io.weight'],
    [!facts.blockIoWeight && isV2, 'io.weight (per device)'],
    ...(['read_bps', 'write_bps', 'read_iops', 'write_iops'] as const).map((one): [boolean, string] => [
      !facts.blockIoThrottle,
      isV2 ? `io.max (${V2_NAMES[one]})` : `blkio throttle.${one}_device`,
    ]),
  ];
  return lacking.filter(([lacks]) => lacks).map(([, what]) => `WARNING: No ${what} support`);
}

const V2_NAMES = { read_bps: 'rbps', write_bps: 'wbps', read_iops: 'riops', write_iops: 'wiops' } as const;

type Parts<T> = Partial<NonNullable<T>>;

/** The limits that this host can enforce, and a warning for each that it can't. */
export function supportedResources(
  facts: LimitFacts,
  resources: OciResources,
): { readonly resources: OciResources; readonly warnings: string[] } {
  const warnings: string[] = [];
  /** Without the keys that the host lacks; `told` only for those that were set to something. */
  const kept = <T extends object>(part: T, rules: readonly [keyof T, boolean, string][]): T => {
    const left = { ...part };
    for (const [key, has, warning] of rules) {
      const value = part[key];
      if (has || value === undefined) continue;
      delete left[key];
      const set = Array.isArray(value) ? value.length > 0 : Boolean(value);
      if (set && !warnings.includes(warning)) warnings.push(warning);
    }
    return left;
  };
  const memory = kept<Parts<OciResources['memory']>>(resources.memory ?? {}, [
    ['limit', facts.memory, LACKING.memory],
    ['swap', facts.swap, LACKING.swap],
    ['swappiness', facts.swappiness, LACKING.swappiness],
    ['reservation', facts.reservation, LACKING.reservation],
    ['disableOOMKiller', facts.oomKillDisable, LACKING.oomKillDisable],
  ]);
  const cpu = kept<Parts<OciResources['cpu']>>(resources.cpu ?? {}, [
    ['shares', facts.cpuShares, LACKING.cpuShares],
    ['quota', facts.cpuCfs, LACKING.cpuCfs],
    ['period', facts.cpuCfs, LACKING.cpuCfs],
    ['cpus', facts.cpuset, LACKING.cpuset],
    ['mems', facts.cpuset, LACKING.cpuset],
  ]);
  const blockIO = kept<Parts<OciResources['blockIO']>>(resources.blockIO ?? {}, [
    ['weight', facts.blockIoWeight, LACKING.weight],
    ['weightDevice', facts.blockIoWeight, LACKING.weightDevice],
    ['throttleReadBpsDevice', facts.blockIoThrottle, LACKING.readBps],
    ['throttleWriteBpsDevice', facts.blockIoThrottle, LACKING.writeBps],
    ['throttleReadIOPSDevice', facts.blockIoThrottle, LACKING.readIops],
    ['throttleWriteIOPSDevice', facts.blockIoThrottle, LACKING.writeIops],
  ]);
  const { pids, ...rest } = resources;
  if (pids && !facts.pids && pids.limit > 0) warnings.push(LACKING.pids);
  const left = { ...rest, memory, cpu, blockIO, ...(pids && facts.pids && { pids }) };
  return { resources: left, warnings };
}
