// Writes a container's limits: those of a new group, and new ones for a living container.
import { join } from 'node:path';
import { hierarchyOf } from '../../model/cgroup-host.ts';
import { deviceRules, planContainerV1, planContainerV2 } from '../../model/container-cgroup-plan.ts';
import { EngineError, isErrno } from '../../model/engine-error.ts';
import type { OciResources } from '../../model/oci-spec.ts';
import { type ContainerPlace, placeDirectory } from './container-place.ts';
import { readLimits } from './container-stats.ts';
import { boundDevices } from './device-filter.ts';
import { readNumber } from './files.ts';
import { writePlan } from './write-plan.ts';

/** Limits of a group that was just made, in an order that the kernel takes. */
export function setLimits(place: ContainerPlace, resources: OciResources): void {
  const { host } = place;
  writePlan(
    (controller) => controllerDirectory(place, controller),
    host.flavour === 'v2' ? planContainerV2(resources) : planContainerV1(resources),
  );
  if (host.flavour === 'v2') boundDevices(controllerDirectory(place, 'devices') ?? '', deviceRules(resources));
}

/** New limits for a living container; its devices stay as they are. Throws with what the kernel refused. */
export function changeLimits(place: ContainerPlace, resources: OciResources): void {
  const { host } = place;
  const { devices: _, ...limits } = resources;
  const current = readLimits(place);
  try {
    writePlan(
      (controller) => controllerDirectory(place, controller),
      host.flavour === 'v2' ? planContainerV2(limits, current) : planContainerV1(limits, current),
    );
  } catch (error) {
    if (isErrno(error, 'EBUSY') && limits.memory?.limit) throw tooLow(place, limits.memory.limit, error);
    throw error;
  }
}

function controllerDirectory(place: ContainerPlace, controller: string): string | null {
  const { host } = place;
  if (host.flavour === 'v2') return placeDirectory({ mountPoint: host.unified ?? '' }, place);
  const hierarchy = hierarchyOf(host, controller);
  return hierarchy ? placeDirectory(hierarchy, place) : null;
}

/** v1 refuses a limit that it can't reach by reclaiming; in runc's words, which Docker's users know. */
function tooLow(place: ContainerPlace, limit: number, cause: unknown): EngineError {
  const memory = controllerDirectory(place, 'memory') ?? '';
  const [usage, peak] = ['usage', 'max_usage'].map((name) => readNumber(join(memory, `memory.${name}_in_bytes`)) ?? 0);
  return new EngineError(
    'conflict',
    `unable to set memory limit to ${limit} (current usage: ${usage}, peak usage: ${peak})`,
    { cause },
  );
}
