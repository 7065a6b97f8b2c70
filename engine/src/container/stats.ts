// One look at what a container uses: its control files, its network's counters, the host's processors.
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { Container } from './container.ts';
import { parseNetDev, parseSystemCpu, type StatsSample } from './stats-shape.ts';

/** null while it does not run. */
export function sampleStats(container: Container, cgroupVersion: '1' | '2'): StatsSample | null {
  const { running, group, record } = container;
  if (!running || !group) return null;
  return {
    atNs: BigInt(Date.now()) * 1_000_000n,
    cgroupVersion,
    group: group.stats(),
    ...parseSystemCpu(readFileSync('/proc/stat', 'utf8')),
    hostMemoryBytes: totalmem(),
    networks: ['host', 'none'].includes(record.hostConfig.NetworkMode) ? null : networksOf(running.pid),
  };
}

/** Of the network namespace that its first process is in; null when it has just ended. */
function networksOf(pid: number): StatsSample['networks'] {
  try {
    return parseNetDev(readFileSync(`/proc/${pid}/net/dev`, 'utf8'));
  } catch {
    return null; // ENOENT, EINVAL: the process is gone
  }
}
