// Where this daemon keeps its things, and the name it puts on its kernel objects: from the environment, as contract.md says.
import { join, resolve } from 'node:path';
import { instanceId } from './instance-id.mjs';

export interface Instance {
  /** Six characters in the names of links, tables and control groups: the same for the same directories. */
  readonly id: string;
  /** State that outlives the machine's boot. */
  readonly root: string;
  /** State that lives as long as the machine is up; on a tmpfs. */
  readonly run: string;
  readonly engineSocket: string;
  readonly labSocket: string;
  /** Group that may use lab.sock: the lab server's. */
  readonly labGid: number;
}

/** Two daemons with different directories never touch each other's objects. */
export function instanceOf(env: Readonly<Record<string, string | undefined>>): Instance {
  const root = resolve(env['DRYDOCK_ROOT'] || '/var/lib/drydock');
  const run = resolve(env['DRYDOCK_RUN'] || '/run/drydock');
  const engineSocket = resolve(env['DRYDOCK_SOCKET'] || join(run, 'engine.sock'));
  return {
    id: instanceId(root, run),
    root,
    run,
    engineSocket,
    labSocket: join(engineSocket, '..', 'lab.sock'),
    labGid: Number(env['DRYDOCK_LAB_GID'] ?? 0),
  };
}
