// The groups of one sandbox that are there: joins, figures, freezing and ending, and their removal from every tree.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchyOf } from '../../model/cgroup-host.ts';
import type { GroupName } from '../../model/cgroup-path.ts';
import { planIoV1, planIoV2 } from '../../model/cgroup-plan.ts';
import { EngineError } from '../../model/engine-error.ts';
import { readEvents, watchEvents } from './events.ts';
import { processesBelow, reached, removeGroup } from './files.ts';
import { removeBelow } from './remove-below.ts';
import { type RunPlace, type RunState, runStateOf, runTree } from './run-state.ts';
import type { SandboxGroup } from './sandbox-group.ts';
import { type SandboxPlace, type Tree, groupDirectory, treesOf } from './trees.ts';
import { trimV1Groups } from './trim.ts';
import { v1Stats, writeV1 } from './v1.ts';
import { v2Stats, writeV2 } from './v2.ts';

/** A group stays EBUSY for the moment its last process takes to leave. */
const REMOVE_BOUND_MS = 5000;

export function openGroup(place: SandboxPlace): SandboxGroup {
  const { host, sandbox } = place;
  const state = runStateOf(runPlace(place));
  const trees = treesOf(host);
  return {
    name: sandbox,
    joinFiles: (group) =>
      trees.map((tree) => join(groupDirectory(tree, place, group), tree.version === 1 ? 'tasks' : 'cgroup.procs')),
    cgroupDirectory: (group) =>
      host.unified === null ? null : groupDirectory({ mountPoint: host.unified }, place, group),
    stats: () => (host.flavour === 'v2' ? v2Stats(place) : v1Stats(place)),
    limitIo(io) {
      if (host.flavour === 'v2') return writeV2(place, planIoV2(io));
      if (hierarchyOf(host, 'blkio')) return writeV1(place, planIoV1(io));
      throw new EngineError(
        'unavailable',
        `Cannot bound the I/O of sandbox "${sandbox}": no blkio hierarchy is mounted`,
      );
    },
    freeze: () => state.freeze(),
    thaw: () => state.thaw(),
    kill: (group = 'inner') => state.kill(group),
    members: (group = 'inner') => state.members(group),
    watch: (changed) => watchEvents(place, changed),
    events: () => readEvents(place),
    trimGroups: () =>
      host.flavour === 'v2' ? Promise.resolve({ groups: 0, removed: 0, action: 'none' }) : trimV1Groups(place, state),
    remove: () => removeGroups(place, trees, state),
  };
}

/** A sandbox as one that is halted and ended: the learner's processes, not the keepers. */
function runPlace(place: SandboxPlace): RunPlace<GroupName> {
  return {
    host: place.host,
    what: `sandbox "${place.sandbox}"`,
    directory: (mountPoint, group) => groupDirectory({ mountPoint }, place, group),
    halted: 'inner',
    endsFuse: true,
  };
}

async function removeGroups(place: SandboxPlace, trees: readonly Tree[], state: RunState<GroupName>): Promise<void> {
  const tops = trees.map((tree) => groupDirectory(tree, place, '')).filter((directory) => existsSync(directory));
  if (tops.length === 0) return;
  await endAll(place, state);
  for (const top of tops) {
    const gone = await reached(REMOVE_BOUND_MS, () => removeTree(top));
    if (!gone) throw stillHeld(place, top);
  }
}

/** A crash while the groups were made may have left none in the tree that ends processes: then nothing was put into any. */
async function endAll(place: SandboxPlace, state: RunState<GroupName>): Promise<void> {
  if (existsSync(groupDirectory(runTree(place.host), place, ''))) await state.kill('');
}

/** True when nothing is left. */
function removeTree(top: string): boolean {
  return removeBelow(top).whole && removeGroup(top);
}

function stillHeld(place: SandboxPlace, top: string): EngineError {
  const pids = processesBelow(top);
  const why =
    pids.length > 0 ? `processes ${pids.slice(0, 10).join(', ')} are still in it` : 'the kernel keeps it busy';
  return new EngineError('unavailable', `Cannot remove the control groups of "${place.sandbox}": ${why} (${top})`);
}
