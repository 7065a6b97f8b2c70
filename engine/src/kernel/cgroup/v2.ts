// A sandbox's groups in the v2 tree: making them, handing controllers down, limits, and what their files say.
// man 7 cgroups; Documentation/admin-guide/cgroup-v2.rst.
import { join } from 'node:path';
import { EngineError } from '../../model/engine-error.ts';
import { SANDBOX_GROUPS } from '../../model/cgroup-path.ts';
import { type GroupWrite, V2_CONTROLLERS, V2_DELEGATED_FILES } from '../../model/cgroup-plan.ts';
import { chownGroup, makeGroup, readGroupFile, readKeyed, readNumber, writeGroupFile } from './files.ts';
import type { GroupStats } from './sandbox-group.ts';
import { type SandboxPlace, groupDirectory, instanceDirectory } from './trees.ts';
import { writePlan } from './write-plan.ts';

/** The v2 tree of a place; only hosts that have one come here. */
function unifiedOf(place: SandboxPlace): { mountPoint: string } {
  if (place.host.unified === null)
    throw new EngineError('unavailable', 'Cannot use cgroup v2: no cgroup2 file system is mounted on this host');
  return { mountPoint: place.host.unified };
}

/** Makes the groups of a sandbox, with every available controller handed down to `inner` (not on hybrid: there are none). */
export function makeV2Groups(place: SandboxPlace): void {
  const tree = unifiedOf(place);
  const instance = instanceDirectory(tree, place.instance);
  makeGroup(instance);
  for (const group of SANDBOX_GROUPS) makeGroup(groupDirectory(tree, place, group));
  if (place.host.flavour !== 'v2') return;
  // Not in `inner` itself: that is the learner's to do, and first he moves the processes out of it.
  for (const directory of [tree.mountPoint, instance, groupDirectory(tree, place, '')]) enableControllers(directory);
}

/** Hands down what is available and not handed down yet; a controller in use by a v1 hierarchy is not available. */
export function enableControllers(directory: string): void {
  const words = (file: string) => new Set(readGroupFile(join(directory, file)).trim().split(/\s+/));
  const available = words('cgroup.controllers');
  const enabled = words('cgroup.subtree_control');
  const lacking = V2_CONTROLLERS.filter((name) => available.has(name) && !enabled.has(name));
  if (lacking.length === 0) return;
  writeGroupFile(
    join(directory, 'cgroup.subtree_control'),
    lacking.map((name) => `+${name}`).join(' '),
    // EBUSY: the "no internal process" rule. Only the top of the whole tree may have both.
    'a group that hands controllers down may hold no process itself: start the daemon in a group of its own',
  );
}

export function writeV2(place: SandboxPlace, writes: readonly GroupWrite[]): void {
  const tree = unifiedOf(place);
  for (const group of SANDBOX_GROUPS)
    writePlan(
      () => groupDirectory(tree, place, group),
      writes.filter((write) => write.group === group),
    );
}

/** Lets a learner's root divide `inner`. Its limits stay root's: they are not among the files that are given. */
export function delegateV2(place: SandboxPlace, uid: number): void {
  const tree = unifiedOf(place);
  for (const group of ['inner', 'inner/shell'] as const)
    chownGroup(groupDirectory(tree, place, group), V2_DELEGATED_FILES, uid);
}

export function v2Stats(place: SandboxPlace): GroupStats {
  const inner = groupDirectory(unifiedOf(place), place, 'inner');
  const cpu = readKeyed(join(inner, 'cpu.stat'));
  const stat = readKeyed(join(inner, 'memory.stat'));
  const usage = readNumber(join(inner, 'memory.current')) ?? 0;
  return {
    cpuUsageUs: cpu.get('usage_usec') ?? 0,
    throttledPeriods: cpu.get('nr_throttled') ?? 0,
    throttledUs: cpu.get('throttled_usec') ?? 0,
    memoryBytes: Math.max(0, usage - (stat.get('inactive_file') ?? 0)),
    memoryLimitBytes: readNumber(join(inner, 'memory.max')) ?? Number.POSITIVE_INFINITY,
    oomKills: readKeyed(join(inner, 'memory.events')).get('oom_kill') ?? 0,
    pids: readNumber(join(inner, 'pids.current')) ?? 0,
    pidsLimit: readNumber(join(inner, 'pids.max')) ?? Number.POSITIVE_INFINITY,
  };
}
