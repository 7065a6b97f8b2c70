// How a patch changes an observed state. Apart from the schemas, so that a browser can apply patches without loading them.
import type { Patch, Snapshot } from './observed.ts';

/** How many ended processes a snapshot remembers. */
export const MAX_EXITS = 200;

/** The state after a patch: exited processes are removed, upserted ones replaced. Throws RangeError on a gap in `seq`. */
export function applyPatch(state: Snapshot, patch: Patch): Snapshot {
  if (patch.seq !== state.seq + 1)
    throw new RangeError(`Cannot apply patch ${patch.seq}: the state is at ${state.seq}`);
  const processes = new Map(state.processes.map((process) => [process.key, process]));
  for (const process of patch.upsert) processes.set(process.key, process);
  for (const exit of patch.exits) processes.delete(exit.key);
  return {
    ...state,
    seq: patch.seq,
    atMs: patch.atMs,
    hostname: patch.hostname ?? state.hostname,
    processes: [...processes.values()],
    exits: [...state.exits, ...patch.exits].slice(-MAX_EXITS),
  };
}
