// The control groups of one daemon's containers, on v1, hybrid and v2: creates, finds again, and says what the host can bound.
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import type { CgroupHost } from '../../model/cgroup-host.ts';
import { containerHierarchies } from '../../model/container-cgroup-plan.ts';
import { KEEPERS, containerPath, containersGroup } from '../../model/container-path.ts';
import { EngineError } from '../../model/engine-error.ts';
import { type LimitFacts, supportedResources } from '../../model/limit-facts.ts';
import type { OciResources } from '../../model/oci-spec.ts';
import type { ContainerGroup, ContainerGroups } from './container-group.ts';
import { setLimits } from './container-limits.ts';
import {
  type ContainerPlace,
  makeContainerGroup,
  makeParents,
  placeDirectory,
  treesWithGroup,
} from './container-place.ts';
import { childGroups, processesBelow, reached, removeGroup } from './files.ts';
import { readLimitFacts } from './limit-facts.ts';
import { openContainer } from './open-container.ts';
import { removeBelow } from './remove-below.ts';
import { type Tree, treesOf } from './trees.ts';

/** A keeper ends by itself once its container has. */
const KEEPERS_LEAVE_MS = 5000;

/** `instance`: the daemon's id, part of the name of the group that holds all its containers. */
export function createContainerGroups(given: CgroupHost, instance: string): ContainerGroups {
  const host = usable(given);
  const place = (id: string, parent: string | null): ContainerPlace => ({
    host,
    instance,
    id,
    parent,
    path: containerPath(instance, id, parent),
  });
  const top = (tree: Tree) => join(tree.mountPoint, containersGroup(instance));
  let facts: LimitFacts | null = null;
  const known = () => {
    if (facts === null) {
      for (const tree of treesOf(host)) makeParents(tree, { host, instance, parent: null });
      facts = readLimitFacts(host, containersGroup(instance));
    }
    return facts;
  };
  const unified: Tree[] = treesOf(host).filter(({ version }) => version === 2);

  return {
    create(id, resources, parent) {
      const at = place(id, parent);
      const trees = [...unified, ...containerHierarchies(host, resources).map((one): Tree => ({ version: 1, ...one }))];
      return made(at, trees, resources);
    },
    open(id, parent) {
      const at = place(id, parent);
      const trees = treesWithGroup(at);
      if (trees.length === 0)
        throw new EngineError('not_found', `Cannot open the control groups of container "${id}": there are none`);
      return openContainer(at, trees);
    },
    get facts() {
      return known();
    },
    supported: (resources) => supportedResources(known(), resources),
    list,
    async removeAll() {
      for (const id of list()) {
        const at = place(id, null);
        await openContainer(at, treesWithGroup(at)).remove();
      }
      for (const tree of treesOf(host))
        for (const directory of [join(top(tree), KEEPERS), top(tree)])
          if (!(await reached(KEEPERS_LEAVE_MS, () => removeGroup(directory))))
            throw new EngineError(
              'conflict',
              `Cannot remove the control group "${directory}": something else is in it`,
            );
    },
  };

  function list() {
    const names = treesOf(host).flatMap((tree) => childGroups(top(tree)));
    return [...new Set(names)].filter((name) => name !== KEEPERS).sort();
  }
}

/**
 * The trees in which groups can be made. Inside a learner's sandbox on v1 that is only what is delegated to him: the rest
 * bounds his containers together with him.
 */
function usable(host: CgroupHost): CgroupHost {
  const isOurs = (mountPoint: string) => {
    try {
      accessSync(mountPoint, constants.W_OK);
      return true;
    } catch {
      return false;
    }
  };
  if (host.flavour === 'v2') return host;
  const unified = host.unified !== null && isOurs(host.unified) ? host.unified : null;
  const hierarchies = host.hierarchies.filter(({ mountPoint }) => isOurs(mountPoint));
  return { flavour: unified === null ? 'v1' : 'hybrid', hierarchies, unified };
}

/**
 * Removes the groups of an id in which nothing runs: what a crash left half made, or a removal that had to give up on a process
 * that has ended since. The groups in `done` are ours. False: something runs in them.
 */
function clearEmpty(at: ContainerPlace, done: readonly string[]): boolean {
  const directories = treesWithGroup(at)
    .map((tree) => placeDirectory(tree, at))
    .filter((directory) => !done.includes(directory));
  if (directories.some((directory) => processesBelow(directory).length > 0)) return false;
  return directories.every((directory) => removeBelow(directory).whole && removeGroup(directory));
}

function made(at: ContainerPlace, trees: readonly Tree[], resources: OciResources): ContainerGroup {
  const done: string[] = [];
  try {
    for (const tree of trees) {
      if (!makeContainerGroup(tree, at) && !(clearEmpty(at, done) && makeContainerGroup(tree, at)))
        throw new EngineError(
          'conflict',
          `Cannot create control groups for container "${at.id}": "${placeDirectory(tree, at)}" exists; open or remove it`,
        );
      done.push(placeDirectory(tree, at));
    }
    setLimits(at, resources);
    return openContainer(at, trees);
  } catch (error) {
    // Nothing was in them yet.
    for (const directory of done) removeGroup(directory);
    throw error;
  }
}
