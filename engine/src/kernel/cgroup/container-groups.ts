// The control groups of one daemon's containers, on v1, hybrid and v2: creates, finds again, and says what the host can bound.
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
import { childGroups, removeGroup } from './files.ts';
import { readLimitFacts } from './limit-facts.ts';
import { openContainer } from './open-container.ts';
import { type Tree, treesOf } from './trees.ts';

/** `instance`: the daemon's id, part of the name of the group that holds all its containers. */
export function createContainerGroups(host: CgroupHost, instance: string): ContainerGroups {
  const place = (id: string, parent: string | null): ContainerPlace => ({
    host,
    instance,
    id,
    parent,
    path: containerPath(instance, id, parent),
  });
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
      if (treesWithGroup(at).length === 0)
        throw new EngineError('not_found', `Cannot open the control groups of container "${id}": there are none`);
      return openContainer(at);
    },
    get facts() {
      return known();
    },
    supported: (resources) => supportedResources(known(), resources),
    list() {
      const names = treesOf(host).flatMap((tree) => childGroups(join(tree.mountPoint, containersGroup(instance))));
      return [...new Set(names)].filter((name) => name !== KEEPERS).sort();
    },
  };
}

function made(at: ContainerPlace, trees: readonly Tree[], resources: OciResources): ContainerGroup {
  const done: string[] = [];
  try {
    for (const tree of trees) {
      if (!makeContainerGroup(tree, at))
        throw new EngineError(
          'conflict',
          `Cannot create control groups for container "${at.id}": "${placeDirectory(tree, at)}" exists; open or remove it`,
        );
      done.push(placeDirectory(tree, at));
    }
    setLimits(at, resources);
    return openContainer(at);
  } catch (error) {
    // Nothing was in them yet.
    for (const directory of done) removeGroup(directory);
    throw error;
  }
}
