// The groups of one container that are there: joins, figures, halting and ending, and their removal from every tree.
import { join } from 'node:path';
import { EngineError } from '../../model/engine-error.ts';
import type { ContainerGroup } from './container-group.ts';
import { changeLimits } from './container-limits.ts';
import { type ContainerPlace, keeperFiles, placeDirectory, treesWithGroup } from './container-place.ts';
import { readOomKills, readStats, readText } from './container-stats.ts';
import { processesBelow, reached, readProcesses, removeGroup, walkGroups } from './files.ts';
import { removeBelow } from './remove-below.ts';
import { watchOom } from './oom-watch.ts';
import { type RunState, runStateOf, runTree, signalKill } from './run-state.ts';
import type { Tree } from './trees.ts';

/** A group stays EBUSY for the moment its last process takes to leave. */
const REMOVE_BOUND_MS = 5000;
const MOST_GROUPS = 8192;

/** `trees`: where it has groups; they are the same as long as it lives. */
export function openContainer(place: ContainerPlace, trees: readonly Tree[]): ContainerGroup {
  const { host, id, path } = place;
  const state = runStateOf<''>({
    host,
    what: `container "${id}"`,
    directory: (mountPoint) => placeDirectory({ mountPoint }, place),
    halted: '',
    endsFuse: false,
  });
  return {
    name: id,
    path: `/${path}`,
    joinFiles: () =>
      trees.map((tree) =>
        tree.version === 1 ? join(placeDirectory(tree, place), 'tasks') : join(joinable(place, tree), 'cgroup.procs'),
      ),
    keeperJoinFiles: () => keeperFiles(place),
    cgroupDirectory: () => (host.unified === null ? null : joinable(place, { mountPoint: host.unified })),
    hierarchies: () => trees.filter(({ version }) => version === 1),
    update: (resources) => changeLimits(place, resources),
    stats: () => readStats(place),
    freeze: () => state.freeze(),
    thaw: () => state.thaw(),
    get frozen() {
      return state.isFrozen();
    },
    kill: () => state.kill(''),
    members: () => state.members(''),
    onOom: (told) => watchOom(place, told),
    get oomKills() {
      return readOomKills(place);
    },
    remove: () => removeContainer(place, state),
  };
}

/**
 * Where in the v2 tree a process can join. Once a container hands controllers down (an engine or systemd in it does) its own
 * group takes no process any more (EBUSY, "no internal process"): then the first below that has some and hands nothing down.
 */
function joinable(place: ContainerPlace, tree: { mountPoint: string }): string {
  const own = placeDirectory(tree, place);
  if (place.host.flavour !== 'v2') return own;
  const handsDown = (directory: string) => readText(join(directory, 'cgroup.subtree_control')).trim() !== '';
  if (!handsDown(own)) return own;
  const below = walkGroups(own, MOST_GROUPS).find(
    (directory) => !handsDown(directory) && readProcesses(directory).length > 0,
  );
  return below ?? own;
}

async function removeContainer(place: ContainerPlace, state: RunState<''>): Promise<void> {
  // First where its processes are halted and ended: once that is gone nothing runs in the container, and the rest goes at once.
  const runs = placeDirectory(runTree(place.host), place);
  if (!removeGroup(runs)) {
    await state.kill('');
    await removeWhole(place, runs);
  }
  for (const tree of treesWithGroup(place)) {
    const directory = placeDirectory(tree, place);
    if (!removeGroup(directory)) await removeWhole(place, directory);
  }
}

/** With the groups that the container made below its own, and what got out of the others but not out of these. */
async function removeWhole({ id }: ContainerPlace, directory: string): Promise<void> {
  const gone = await reached(REMOVE_BOUND_MS, () => {
    for (const pid of processesBelow(directory)) signalKill(pid);
    return removeBelow(directory).whole && removeGroup(directory);
  });
  if (gone) return;
  const pids = processesBelow(directory);
  const why = pids.length > 0 ? `processes ${pids.slice(0, 10).join(', ')} do not end` : 'the kernel keeps it busy';
  throw new EngineError('unavailable', `Cannot remove the control groups of container "${id}": ${why} (${directory})`);
}
