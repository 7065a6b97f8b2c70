// How a patch changes an observed state. Apart from the schemas, so that a browser can apply patches without loading them.
import type { Patch, Snapshot } from './observed.ts';

/** How many ended processes a snapshot remembers. */
export const MAX_EXITS = 200;

/**
 * The state after a patch: upserted processes are added or replaced; exited ones are removed, unless the patch upserts
 * them as zombies, which stay until they are named in `gone`. Throws RangeError on a gap in `seq`.
 */
export function applyPatch(state: Snapshot, patch: Patch): Snapshot {
  if (patch.seq !== state.seq + 1)
    throw new RangeError(`Cannot apply patch ${patch.seq}: the state is at ${state.seq}`);
  const processes = new Map(state.processes.map((process) => [process.key, process]));
  for (const process of patch.upsert) processes.set(process.key, process);
  const zombies = new Set(patch.upsert.filter((process) => process.state === 'Z').map((process) => process.key));
  for (const exit of patch.exits) if (!zombies.has(exit.key)) processes.delete(exit.key);
  for (const key of patch.gone) processes.delete(key);
  return {
    ...state,
    seq: patch.seq,
    atMs: patch.atMs,
    hostname: patch.hostname ?? state.hostname,
    processes: [...processes.values()],
    exits: [...state.exits, ...patch.exits].slice(-MAX_EXITS),
  };
}
