// Records of containers on disk: root/containers/ID/container.json (what it is) and state.json (how it is). Nothing else
// knows their form.
//
// Both are written to a temporary file and renamed, so a daemon killed at any moment finds the old or the new one, whole.
// They are synced a moment later, not before the answer: fsync takes 3.5 ms here on a journalled ext4 (33 ms in the worst
// tenth), renaming 0.06 ms, and a container's whole life is to take about ten. A machine that loses its power within that
// moment forgets a container just made, as it forgets what the container itself had written; a change of state can't harm
// what was there before, since it is a file of its own. A container that is gone again, or is not to outlive a boot
// (--rm), is never synced.
import {
  close,
  closeSync,
  existsSync,
  fsync,
  mkdirSync,
  open,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Logger } from 'pino';
import { readIfThere } from '../kernel/atomic-file.ts';
import type { ContainerRecord, ContainerState } from './container.ts';

const SYNC_AFTER_MS = 500;
const ID = /^[0-9a-f]{64}$/;

export interface StoredContainer {
  readonly record: ContainerRecord;
  /** Its removal had begun; `withVolumes`: its anonymous volumes go too. */
  readonly removing: { readonly withVolumes: boolean } | null;
}

/** Of a container that was never started. */
export const FRESH_STATE: ContainerState = {
  status: 'created',
  exitCode: 0,
  oomKilled: false,
  error: '',
  startedAtMs: null,
  finishedAtMs: null,
  restartCount: 0,
  manuallyStopped: false,
};

export class ContainerStore {
  readonly #directory: string;
  readonly #log: Logger;
  readonly #unsynced = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(root: string, log: Logger) {
    this.#directory = join(root, 'containers');
    this.#log = log;
    mkdirSync(this.#directory, { recursive: true, mode: 0o710 });
  }

  directory(id: string): string {
    return join(this.#directory, id);
  }

  /** Everything about a container that a crash can leave is below this directory, or named by its id. */
  make(id: string): void {
    mkdirSync(this.directory(id), { mode: 0o710 });
  }

  /** From here on the container is there. */
  saveRecord({ state, ...rest }: ContainerRecord): void {
    this.#write(rest.id, 'container.json', rest, rest.hostConfig.AutoRemove);
    if (state.status !== 'created') this.#write(rest.id, 'state.json', state, rest.hostConfig.AutoRemove);
  }

  saveState({ id, state, hostConfig }: ContainerRecord): void {
    this.#write(id, 'state.json', state, hostConfig.AutoRemove);
  }

  /** From here on the container is gone; what is left of it is collected, also by the next start. */
  beginRemoval(id: string, withVolumes: boolean): void {
    const to = join(this.directory(id), withVolumes ? 'removing-volumes.json' : 'removing.json');
    const from = join(this.directory(id), 'container.json');
    if (existsSync(from)) renameSync(from, to); // else it had begun before, and failed
  }

  forget(id: string): void {
    for (const name of ['container.json', 'state.json']) this.#unsynced.delete(join(this.directory(id), name));
    rmSync(this.directory(id), { recursive: true, force: true });
  }

  /** Ids of all that have a directory. */
  ids(): string[] {
    return readdirSync(this.#directory).filter((name) => ID.test(name));
  }

  /** Null: a crash came before its record was there, or the record was lost with the machine's power. */
  load(id: string): StoredContainer | null {
    const read = (name: string) => parsed(readIfThere(join(this.directory(id), name))) as ContainerRecord | null;
    const [kept, removing, removingVolumes] = [
      read('container.json'),
      read('removing.json'),
      read('removing-volumes.json'),
    ];
    const record = kept ?? removing ?? removingVolumes;
    if (record === null) return null;
    const state = (parsed(readIfThere(join(this.directory(id), 'state.json'))) as ContainerState | null) ?? FRESH_STATE;
    return {
      record: { ...record, state },
      removing: kept ? null : { withVolumes: removingVolumes !== null },
    };
  }

  #write(id: string, name: string, value: object, isShortLived: boolean): void {
    const path = join(this.directory(id), name);
    const file = openSync(`${path}.new`, 'w', 0o600);
    try {
      writeSync(file, JSON.stringify(value));
    } finally {
      closeSync(file);
    }
    renameSync(`${path}.new`, path);
    if (isShortLived) return;
    this.#unsynced.add(path);
    this.#timer ??= setTimeout(() => void this.sync(), SYNC_AFTER_MS).unref();
  }

  /** Brings to the disk what was written lately, and the directories that name it. */
  async sync(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const paths = [...this.#unsynced];
    this.#unsynced.clear();
    const directories = new Set(paths.map((path) => join(path, '..')));
    for (const path of [...paths, ...directories, this.#directory]) {
      if (!existsSync(path)) continue; // removed meanwhile: nothing to keep
      await syncFile(path).catch((error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#log.error(error, `Cannot sync "${path}"`);
      });
    }
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await promisify(open)(path, 'r');
  try {
    await promisify(fsync)(file);
  } finally {
    await promisify(close)(file);
  }
}

/** A file that is empty or cut short was never synced. */
function parsed(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
