// What this host can do, found out by really trying: each probe makes the kernel object in question where nobody sees it
// (a fresh network namespace, a detached mount, a temporary file) and lets it go. Changes nothing that stays.
import { EngineError } from '../model/engine-error.ts';
import { FILE_PROBES } from './probe/files.ts';
import { NETWORK_PROBES } from './probe/network.ts';
import { PROCESS_PROBES } from './probe/processes.ts';
import { CGROUP_PROBES } from './probe/cgroups.ts';
import type { ProbeDefinition } from './probe/definition.ts';

export { probeSysctls, type Sysctl } from './probe/sysctls.ts';

/** What a probe found. `why` is what the kernel said where it is absent, and what it is for where it is present. */
export interface Probe {
  readonly id: Capability;
  readonly present: boolean;
  /** The lab can't run without it; the others are for single lessons. */
  readonly needed: boolean;
  readonly why: string;
  readonly howToGet: string;
}

const DEFINITIONS = { ...PROCESS_PROBES, ...FILE_PROBES, ...CGROUP_PROBES, ...NETWORK_PROBES };

export type Capability = keyof typeof DEFINITIONS;

export const CAPABILITIES: readonly Capability[] = Object.keys(DEFINITIONS).filter(
  (id): id is Capability => id in DEFINITIONS,
);

const found = new Map<Capability, Probe>();

/** Tries one capability; the answer is kept for the life of the process. Blocks for 1–60 ms: not for the daemon's hot paths. */
export function probe(id: Capability): Probe {
  const known = found.get(id);
  if (known !== undefined) return known;
  const definition: ProbeDefinition = DEFINITIONS[id];
  let missing: string | undefined;
  try {
    missing = definition.missing();
  } catch (error) {
    missing = error instanceof Error ? error.message : String(error);
  }
  const result: Probe = {
    id,
    present: missing === undefined,
    needed: definition.needed,
    why: missing ?? definition.use,
    howToGet: definition.howToGet,
  };
  found.set(id, result);
  return result;
}

/** Tries everything, in the order in which a person would mend it. */
export function probeAll(): Probe[] {
  return CAPABILITIES.map((id) => probe(id));
}

/** Throws `unavailable`, with how to get it, where one of these is absent. */
export function demand(...ids: Capability[]): void {
  for (const id of ids) {
    const { present, why, howToGet } = probe(id);
    if (!present) throw new EngineError('unavailable', `This host has no ${id}: ${why}. ${howToGet}`);
  }
}
