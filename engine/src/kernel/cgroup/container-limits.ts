// Writes a container's limits: those of a new group, and new ones for a living container.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchyOf } from '../../model/cgroup-host.ts';
import { planContainerV1, planContainerV2 } from '../../model/container-cgroup-plan.ts';
import { EngineError, isErrno } from '../../model/engine-error.ts';
import type { OciResources } from '../../model/oci-spec.ts';
import { type ContainerPlace, makeContainerGroup, placeDirectory } from './container-place.ts';
import { readLimits } from './container-stats.ts';
import { readNumber, readProcesses, walkGroups, writeGroupFile } from './files.ts';
import { runTree } from './run-state.ts';
import { writePlan } from './write-plan.ts';

/** Limits of a group that was just made, in an order that the kernel takes. */
export function setLimits(place: ContainerPlace, resources: OciResources): void {
  const { host } = place;
  writePlan(
    (controller) => controllerDirectory(place, controller),
    host.flavour === 'v2' ? planContainerV2(resources) : planContainerV1(resources),
  );
}

/** New limits for a living container; its devices stay as they are. Throws with what the kernel refused. */
export function changeLimits(place: ContainerPlace, resources: OciResources): void {
  const { host } = place;
  const { devices: _, ...limits } = resources;
  const current = readLimits(place);
  if (host.flavour !== 'v2' && (limits.cpu?.cpus || limits.cpu?.mems)) enterCpuset(place);
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

/** Passes over the members until those that were forked meanwhile are in it too. */
const MOST_ROUNDS = 50;
const MOST_GROUPS = 8192;

/** A container without processors of its own has no cpuset group: makes one and moves every process there. */
function enterCpuset(place: ContainerPlace): void {
  const { host } = place;
  const hierarchy = hierarchyOf(host, 'cpuset');
  if (!hierarchy || existsSync(placeDirectory(hierarchy, place))) return;
  makeContainerGroup({ version: 1, ...hierarchy }, place);
  const directory = placeDirectory(hierarchy, place);
  const members = () => walkGroups(placeDirectory(runTree(host), place), MOST_GROUPS).flatMap(readProcesses);
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const inside = new Set(readProcesses(directory));
    const outside = members().filter((pid) => !inside.has(pid));
    if (outside.length === 0) return;
    for (const pid of outside) enter(directory, pid);
  }
  throw new EngineError(
    'unavailable',
    `Cannot give container "${place.id}" processors of its own: it makes processes faster than they can be moved; pause it first`,
  );
}

function enter(directory: string, pid: number): void {
  try {
    writeGroupFile(join(directory, 'cgroup.procs'), String(pid));
  } catch (error) {
    // It ended meanwhile.
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
