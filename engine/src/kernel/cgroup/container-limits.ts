// Writes a container's limits: those of a new group, and new ones for a living container.
import { join } from 'node:path';
import { hierarchyOf } from '../../model/cgroup-host.ts';
import { deviceRules, planContainerV1, planContainerV2 } from '../../model/container-cgroup-plan.ts';
import { planDevicesV1 } from '../../model/device-rules.ts';
import { EngineError, isErrno } from '../../model/engine-error.ts';
import type { OciDeviceRule, OciResources } from '../../model/oci-spec.ts';
import { type ContainerPlace, placeDirectory } from './container-place.ts';
import { readLimits } from './container-stats.ts';
import { boundDevices, inUserNamespace } from './device-filter.ts';
import { readNumber } from './files.ts';
import { writePlan } from './write-plan.ts';

/** Limits of a group that was just made, in an order that the kernel takes. */
export function setLimits(place: ContainerPlace, resources: OciResources): void {
  const { host } = place;
  // Also on hybrid where v1's devices controller is not mounted: the kernel asks the programs of the v2 tree anyhow.
  const byProgram = host.flavour === 'v2' || hierarchyOf(host, 'devices') === undefined;
  const { devices: _, ...others } = resources;
  const written = byProgram ? others : resources;
  writePlan(
    (controller) => controllerDirectory(place, controller),
    host.flavour === 'v2' ? planContainerV2(written) : planContainerV1(written),
  );
  if (byProgram) boundByProgram(place, deviceRules(resources));
}

function boundByProgram(place: ContainerPlace, rules: readonly OciDeviceRule[]): void {
  const { unified } = place.host;
  if (unified !== null) return boundDevices(placeDirectory({ mountPoint: unified }, place), rules);
  if (planDevicesV1(rules).length === 0 || inUserNamespace()) return;
  throw new EngineError(
    'unavailable',
    `Cannot bound the devices of container "${place.id}": neither v1's devices controller nor a v2 tree is mounted; mount one of them`,
  );
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
