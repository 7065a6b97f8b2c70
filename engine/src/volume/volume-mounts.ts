// What the start of a container needs of its mounts: sources that are there, volumes that are mounted, and the mounts as its
// OCI specification has them. Makes nothing that a container refers to; that is volumes.ts.
import { existsSync, mkdirSync } from 'node:fs';
import type { MountPoint } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciMount } from '../model/oci-spec.ts';
import {
  bindMount,
  type MountingHostConfig,
  parentsFirst,
  type PlacedMount,
  placedMounts,
  tmpfsMounts,
} from './oci-mounts.ts';

/** Throws invalid_argument in Docker's words for a bind whose source is not there and that -v does not make. */
export function checkBindSource(source: string): void {
  if (!existsSync(source))
    throw new EngineError(
      'invalid_argument',
      `invalid mount config for type "bind": bind source path does not exist: ${source}`,
    );
}

function bindSource({ point, spec }: PlacedMount): string {
  if (spec !== null && !spec.createSource) checkBindSource(point.Source);
  try {
    if (!existsSync(point.Source)) mkdirSync(point.Source, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new EngineError(
      'internal',
      `error while creating mount source path '${point.Source}': ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  return point.Source;
}

/** For every start: the mounts of a container's record, parents before children. */
export function mountsOf(mounts: readonly MountPoint[], hostConfig: MountingHostConfig): OciMount[] {
  const binds = placedMounts(mounts, hostConfig)
    .filter(({ point }) => point.Type !== 'tmpfs')
    .map((placed) => bindMount(placed, placed.point.Type === 'bind' ? bindSource(placed) : placed.point.Source));
  return parentsFirst([...binds, ...tmpfsMounts(hostConfig)]);
}
