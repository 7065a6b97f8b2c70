// The mounted hierarchies of a host as one list of trees, and where a sandbox's groups lie in each.
import { join } from 'node:path';
import type { CgroupHost } from '../../model/cgroup-host.ts';
import { type GroupName, groupPath, instanceGroup } from '../../model/cgroup-path.ts';

/** One hierarchy: a v1 one, or the v2 tree (hybrid: without controllers). */
export interface Tree {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly mountPoint: string;
}

/** A sandbox of one daemon on one host: all that is needed to find its groups. */
export interface SandboxPlace {
  readonly host: CgroupHost;
  readonly instance: string;
  readonly sandbox: string;
}

export function treesOf(host: CgroupHost): Tree[] {
  const v1 = host.hierarchies.map((hierarchy): Tree => ({ version: 1, ...hierarchy }));
  return host.unified === null ? v1 : [...v1, { version: 2, controllers: [], mountPoint: host.unified }];
}

export function groupDirectory(tree: { mountPoint: string }, place: SandboxPlace, group: GroupName): string {
  return join(tree.mountPoint, groupPath(place.instance, place.sandbox, group));
}

export function instanceDirectory(tree: { mountPoint: string }, instance: string): string {
  return join(tree.mountPoint, instanceGroup(instance));
}
