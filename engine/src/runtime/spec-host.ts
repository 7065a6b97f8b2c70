// Finds out what specifications and launch plans have to know of this machine, once, when the daemon starts.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { CAPABILITIES, type Capability, capabilityNames, parseCapabilitySet } from '../model/capabilities.ts';
import type { SpecHost } from './spec.ts';

const NETWORK_SYSCTLS = {
  // An ICMP echo socket, and ports below 1024, for everybody: in a network of one's own they harm nobody.
  'net.ipv4.ping_group_range': '0 2147483647',
  'net.ipv4.ip_unprivileged_port_start': '0',
} as const;

/** Whether this process is in the initial user namespace: all ids map to themselves. */
export function isInitialUserNamespace(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'utf8'));
}

/** `ground`: an empty directory. */
export function specHost(ground: string): SpecHost {
  const last = Number(readFileSync('/proc/sys/kernel/cap_last_cap', 'utf8'));
  const bounding = /^CapBnd:\t(\w+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '';
  const given = capabilityNames(parseCapabilitySet(bounding) ?? 0n);
  const isInitial = isInitialUserNamespace();
  return {
    ground,
    architecture: process.arch === 'arm64' ? 'aarch64' : 'x86_64',
    kernel: release(),
    capabilities: new Set<Capability>(given.filter((name) => CAPABILITIES.indexOf(name) <= last)),
    networkSysctls: Object.fromEntries(
      Object.entries(NETWORK_SYSCTLS).filter(
        ([key]) =>
          existsSync(`/proc/sys/${key.replaceAll('.', '/')}`) && (isInitial || key !== 'net.ipv4.ping_group_range'),
      ),
    ),
    moreMaskedPaths: thermalThrottles(),
  };
}

/** Counters that tell one container when another works hard. */
function thermalThrottles(): string[] {
  const directory = '/sys/devices/system/cpu';
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => `${directory}/${name}/thermal_throttle`)
    .filter((path) => existsSync(path));
}
