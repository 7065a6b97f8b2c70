// The mount tables of a sandbox's processes: one reading for each mount namespace and root directory, shared by all in it.
import type { ProcessView } from '../kernel/proc/source.ts';
import type { Mount, ObservedProcess } from '../model/observed.ts';
import type { Frame } from './read-process.ts';

/** Of so many different tables one is read at each look; the others wait for the next. */
const MAX_TABLES = 16;

export class MountTables {
  readonly #frame: Frame;
  readonly #tables = new Map<string, { mounts: Mount[]; json: string }>();

  constructor(frame: Frame) {
    this.#frame = frame;
  }

  /** Null for a process that has both the sandbox's mount namespace and its pid namespace: nothing is to be seen there. */
  keyOf({ namespaces, rootInode, state }: ObservedProcess): string | null {
    const { mnt, pid } = this.#frame.namespaces;
    if (state === 'Z' || namespaces.mnt === null || (namespaces.mnt === mnt && namespaces.pid === pid)) return null;
    return `${namespaces.mnt} ${rootInode}`;
  }

  get(key: string): Mount[] | null {
    return this.#tables.get(key)?.mounts ?? null;
  }

  /** Reads a table again; the same array as before when nothing changed, null when there is no room or no process. */
  read(key: string, view: ProcessView): Mount[] | null {
    const before = this.#tables.get(key);
    if (before === undefined && this.#tables.size >= MAX_TABLES) return null;
    const mounts = view.mounts();
    if (mounts === null) return before?.mounts ?? null;
    const json = JSON.stringify(mounts);
    if (before?.json === json) return before.mounts;
    this.#tables.set(key, { mounts, json });
    return mounts;
  }

  /** Forgets what no process has any more. */
  keep(keys: { has(key: string): boolean }): void {
    for (const key of this.#tables.keys()) if (!keys.has(key)) this.#tables.delete(key);
  }
}
