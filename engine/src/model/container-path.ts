// Where a container's control groups lie below the mount point of each hierarchy. Pure; no I/O.
import { EngineError } from './engine-error.ts';

/** Ids are 64 hex digits; tests have shorter ones. No id can be the name of the keepers' group. */
const ID = /^[a-z0-9][a-z0-9-]{0,127}$/;

/** Keepers of all containers of a daemon share this group. */
export const KEEPERS = '.keepers';

/** The group of one daemon's containers; its sandboxes are in another, `drydock-<instance>`. */
export function containersGroup(instance: string): string {
  return `drydock-${instance}-containers`;
}

/**
 * The group that a container's is made in, without slashes around: the daemon's, or what --cgroup-parent asks for, which is
 * a path below the mount point with and without a slash before it. Throws invalid_argument.
 */
export function containerParent(instance: string, parent: string | null): string {
  const names = (parent ?? '').split('/').filter((name) => name !== '' && name !== '.');
  if (names.length === 0) return containersGroup(instance);
  if (names.some((name) => name === '..' || name.includes('\n') || name.includes('\0')))
    throw new EngineError(
      'invalid_argument',
      `Cannot make control groups in "${parent}": give a path below the control group mount, without ".."`,
    );
  return names.join('/');
}

/** Throws invalid_argument for an id that could be another path. */
export function containerPath(instance: string, id: string, parent: string | null): string {
  if (!ID.test(id)) throw new EngineError('invalid_argument', `Cannot name control groups "${id}": use a-z, 0-9 and -`);
  return `${containerParent(instance, parent)}/${id}`;
}
