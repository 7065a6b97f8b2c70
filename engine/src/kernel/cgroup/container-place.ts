// Where the groups of one container are on this host, and making and removing their directories. Sets no limits.
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CgroupHost } from '../../model/cgroup-host.ts';
import { KEEPERS, containerParent, containersGroup } from '../../model/container-path.ts';
import { SysError } from '../../model/engine-error.ts';
import { touched } from '../trace.ts';
import { HINTS, errnoOf, writeGroupFile } from './files.ts';
import { type Tree, treesOf } from './trees.ts';
import { inheritCpuset } from './v1.ts';
import { enableControllers } from './v2.ts';

export interface ContainerPlace {
  readonly host: CgroupHost;
  readonly instance: string;
  readonly id: string;
  /** --cgroup-parent, or null. */
  readonly parent: string | null;
  /** Below each mount point, without a slash before it. */
  readonly path: string;
}

export const placeDirectory = (tree: { mountPoint: string }, { path }: ContainerPlace): string =>
  join(tree.mountPoint, path);

/** The trees in which the container has a group now. */
export function treesWithGroup(place: ContainerPlace): Tree[] {
  return treesOf(place.host).filter((tree) => existsSync(placeDirectory(tree, place)));
}

/** Makes the group in one tree. False: there is one already. */
export function makeContainerGroup(tree: Tree, place: ContainerPlace): boolean {
  const directory = placeDirectory(tree, place);
  // On v2 each time: somebody else (systemd does) may have taken controllers back that no group of his uses.
  if (place.host.flavour === 'v2') makeParents(tree, place);
  let made = mkdir(directory);
  if (made === 'no parent') {
    makeParents(tree, place);
    made = mkdir(directory);
  }
  if (made === 'no parent') throw new SysError('mkdir', 'ENOENT', directory, HINTS['ENOENT']);
  if (made === 'made' && tree.controllers.includes('cpuset')) inheritCpuset(directory);
  return made === 'made';
}

/**
 * The groups above the container's, from the top: those of a --cgroup-parent stay when the container goes, since somebody may
 * have set limits there.
 */
export function makeParents(
  tree: Tree,
  { host, instance, parent }: Pick<ContainerPlace, 'host' | 'instance' | 'parent'>,
): void {
  const names = containerParent(instance, parent).split('/');
  const made = makeBelow(tree, names);
  // Containers start with its processors and memory nodes then, instead of none that have to be read and written (100 µs).
  // A group that somebody else made stays as it is.
  if (parent === null && tree.controllers.includes('cpuset'))
    writeGroupFile(join(tree.mountPoint, ...names, 'cgroup.clone_children'), '1');
  if (host.flavour === 'v2') for (const directory of [tree.mountPoint, ...made]) enableControllers(directory);
}

/** Makes groups one below the other; returns their directories. */
function makeBelow({ mountPoint, controllers }: Omit<Tree, 'version'>, names: readonly string[]): string[] {
  return names.map((_, index) => {
    const directory = join(mountPoint, ...names.slice(0, index + 1));
    if (!existsSync(directory)) mkdir(directory);
    if (controllers.includes('cpuset')) inheritCpuset(directory);
    return directory;
  });
}

function mkdir(directory: string): 'made' | 'there' | 'no parent' {
  try {
    const about = { kind: 'call', name: 'mkdir', args: [JSON.stringify(directory)] } as const;
    touched(about, () => mkdirSync(directory, { mode: 0o755 }), errnoOf);
    return 'made';
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'EEXIST') return 'there';
    if (errno === 'ENOENT') return 'no parent';
    throw new SysError('mkdir', errno, directory, HINTS[errno]);
  }
}

/**
 * Files by which a keeper leaves the groups of whoever started the daemon, so that its memory and its threads count
 * neither there nor in the container: v1 memory and pids, 10 µs each. In the v2 tree it stays where the daemon is, as
 * containerd's shims do: moving a process there waits for RCU (0.5 ms hot, 12 ms cold, each time: 6.18, tried), and being
 * beside the container is all that matters.
 */
export function keeperFiles({ host, instance }: Pick<ContainerPlace, 'host' | 'instance'>): string[] {
  return host.hierarchies
    .filter(({ controllers }) => controllers.some((name) => name === 'memory' || name === 'pids'))
    .map((hierarchy) => {
      const directory = join(hierarchy.mountPoint, containersGroup(instance), KEEPERS);
      if (!existsSync(directory)) makeBelow(hierarchy, [containersGroup(instance), KEEPERS]);
      return join(directory, 'tasks');
    });
}
