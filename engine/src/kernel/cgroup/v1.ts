// A sandbox's groups in v1 hierarchies: making them, their limits, and what their files say. man 7 cgroups.
import { dirname, join } from 'node:path';
import { type V1Hierarchy, hierarchyOf } from '../../model/cgroup-host.ts';
import { SANDBOX_GROUPS } from '../../model/cgroup-path.ts';
import { type GroupWrite, V1_DELEGATED_FILES, delegatedControllers } from '../../model/cgroup-plan.ts';
import { chownGroup, makeGroup, readGroupFile, readKeyed, readNumber, walkGroups, writeGroupFile } from './files.ts';
import type { GroupStats } from './sandbox-group.ts';
import { type SandboxPlace, groupDirectory, instanceDirectory } from './trees.ts';
import { writePlan } from './write-plan.ts';

/**
 * Makes the groups of a sandbox in every v1 hierarchy (one left out would show the host's groups inside), each with its
 * limits before the groups below it: a device list can be cleared only while its group has no child (EINVAL).
 */
export function makeV1Groups(place: SandboxPlace, writes: readonly GroupWrite[]): void {
  for (const hierarchy of place.host.hierarchies) makeV1(hierarchy, instanceDirectory(hierarchy, place.instance));
  for (const group of SANDBOX_GROUPS) {
    for (const hierarchy of place.host.hierarchies) makeV1(hierarchy, groupDirectory(hierarchy, place, group));
    writeV1(
      place,
      writes.filter((write) => write.group === group),
    );
  }
}

function makeV1({ controllers }: V1Hierarchy, directory: string): void {
  makeGroup(directory);
  if (controllers.includes('cpuset')) inheritCpuset(directory);
}

/** A new cpuset has no processors and no memory nodes, and refuses tasks (ENOSPC) until it has both. */
export function inheritCpuset(directory: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readGroupFile(join(directory, file)).trim() === '')
      writeGroupFile(join(directory, file), readGroupFile(join(dirname(directory), file)).trim());
  }
}

export function writeV1(place: SandboxPlace, writes: readonly GroupWrite[]): void {
  for (const group of SANDBOX_GROUPS) {
    const directoryOf = (controller: string) => {
      const hierarchy = hierarchyOf(place.host, controller);
      return hierarchy ? groupDirectory(hierarchy, place, group) : null;
    };
    writePlan(
      directoryOf,
      writes.filter((write) => write.group === group),
    );
  }
}

/** Lets a learner's root divide `inner`, in the hierarchies where that cannot reach beyond it. */
export function delegateV1(place: SandboxPlace, uid: number): void {
  for (const hierarchy of delegatedHierarchies(place))
    for (const group of ['inner', 'inner/shell'] as const)
      chownGroup(groupDirectory(hierarchy, place, group), V1_DELEGATED_FILES, uid);
}

export function delegatedHierarchies({ host }: SandboxPlace) {
  const delegated = delegatedControllers(host.flavour);
  return host.hierarchies.filter(({ controllers }) => controllers.every((name) => delegated.includes(name)));
}

/** How many groups are looked at for counters that v1 does not add up. */
const MOST_GROUPS = 1024;

/** v1 counts an OOM kill only in the group of its victim: summed over the groups that still are. */
export function v1OomKills(place: SandboxPlace): number {
  const memory = hierarchyOf(place.host, 'memory');
  return memory ? v1OomKillsIn(groupDirectory(memory, place, 'inner')) : 0;
}

/** The same of a group of the memory hierarchy and all below it. */
export function v1OomKillsIn(top: string): number {
  return walkGroups(top, MOST_GROUPS)
    .map((directory) => readKeyed(join(directory, 'memory.oom_control')).get('oom_kill') ?? 0)
    .reduce((sum, kills) => sum + kills, 0);
}

export function v1Stats(place: SandboxPlace): GroupStats {
  const inner = (controller: string, file: string) => {
    const hierarchy = hierarchyOf(place.host, controller);
    return join(hierarchy ? groupDirectory(hierarchy, place, 'inner') : '/nonexistent', file);
  };
  const stat = readKeyed(inner('memory', 'memory.stat'));
  const cpu = readKeyed(inner('cpu', 'cpu.stat'));
  const usage = readNumber(inner('memory', 'memory.usage_in_bytes')) ?? 0;
  return {
    cpuUsageUs: Math.round((readNumber(inner('cpuacct', 'cpuacct.usage')) ?? 0) / 1000),
    throttledPeriods: cpu.get('nr_throttled') ?? 0,
    throttledUs: Math.round((cpu.get('throttled_time') ?? 0) / 1000),
    memoryBytes: Math.max(0, usage - (stat.get('total_inactive_file') ?? 0)),
    memoryLimitBytes: readNumber(inner('memory', 'memory.limit_in_bytes')) ?? Number.POSITIVE_INFINITY,
    oomKills: v1OomKills(place),
    pids: readNumber(inner('pids', 'pids.current')) ?? 0,
    pidsLimit: readNumber(inner('pids', 'pids.max')) ?? Number.POSITIVE_INFINITY,
  };
}
