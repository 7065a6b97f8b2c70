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

/** A container, as its mounts are asked for. */
export interface MountedContainer {
  readonly id: string;
  readonly mounts: readonly MountPoint[];
  readonly hostConfig: MountingHostConfig;
}

/** The mounts of a record, parents before children. `subpathPlace`: where a volume's subpath is bound to. */
export function mountsOf(
  { mounts, hostConfig }: Pick<MountedContainer, 'mounts' | 'hostConfig'>,
  subpathPlace: (at: number) => string,
): OciMount[] {
  const binds = placedMounts(mounts, hostConfig).flatMap((placed, at) => {
    const { point, spec } = placed;
    if (point.Type === 'tmpfs') return [];
    if (point.Type === 'bind') return [bindMount(placed, bindSource(placed))];
    return [bindMount(placed, spec !== null && spec.subpath !== '' ? subpathPlace(at) : point.Source)];
  });
  return parentsFirst([...binds, ...tmpfsMounts(hostConfig)]);
}
