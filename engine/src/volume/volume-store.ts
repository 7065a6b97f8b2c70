// Managed volumes on disk: NAME/volume.json says what it is, NAME/_data is what containers see. A volume is whole or not
// there: it is made beside and renamed into place, and renamed away before it is deleted. Knows nothing of containers.
import { chmodSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomically } from '../kernel/atomic-file.ts';
import { EngineError } from '../model/engine-error.ts';
import { isMountPoint } from './volume-attachments.ts';
import { type VolumeRecord, volumeRecordSchema } from './volume-record.ts';

/** Names of volumes begin with a letter or digit: these never meet one. */
const MAKING = '.new-';
const GOING = '.gone-';

export class VolumeStore {
  readonly #directory: string;
  readonly #volumes = new Map<string, VolumeRecord>();
  #removals = 0;

  /** Reads what is there and deletes what a crash left half-made. `warn` hears of records that can't be read: they stay as they are. */
  constructor(directory: string, warn: (message: string) => void) {
    this.#directory = directory;
    // Containers' users walk through it to their volume; none may list it.
    mkdirSync(directory, { recursive: true });
    chmodSync(directory, 0o711);
    for (const entry of readdirSync(directory)) {
      if (entry.startsWith(MAKING) || entry.startsWith(GOING))
        rmSync(join(directory, entry), { recursive: true, force: true });
      else this.#read(entry, warn);
    }
  }

  #read(name: string, warn: (message: string) => void): void {
    try {
      const text = readFileSync(join(this.#directory, name, 'volume.json'), 'utf8');
      this.#volumes.set(name, { ...volumeRecordSchema.parse(JSON.parse(text)), name });
    } catch (error) {
      warn(`Cannot read volume "${name}": ${String(error)}; its data is left alone`);
    }
  }

  get(name: string): VolumeRecord | undefined {
    return this.#volumes.get(name);
  }

  /** Oldest first. */
  all(): VolumeRecord[] {
    return [...this.#volumes.values()].sort((a, b) => a.createdAtMs - b.createdAtMs || (a.name < b.name ? -1 : 1));
  }

  /** Where its data is, on the host. */
  dataPath(name: string): string {
    return join(this.#directory, name, '_data');
  }

  /** Makes it; the name must be free. Errors are Node's (ENOSPC …): then nothing is left. */
  create(record: VolumeRecord): void {
    const making = join(this.#directory, MAKING + record.name);
    rmSync(making, { recursive: true, force: true });
    try {
      mkdirSync(join(making, '_data'), { recursive: true });
      chmodSync(making, 0o711);
      chmodSync(join(making, '_data'), 0o755);
      writeAtomically(join(making, 'volume.json'), JSON.stringify(record));
      renameSync(making, join(this.#directory, record.name));
    } catch (error) {
      rmSync(making, { recursive: true, force: true });
      throw new EngineError('internal', `Cannot create volume "${record.name}": ${String(error)}`, { cause: error });
    }
    this.#volumes.set(record.name, record);
  }

  /** Gone as soon as this is called; the promise is for its data. */
  async remove(name: string): Promise<void> {
    const going = join(this.#directory, `${GOING}${(this.#removals += 1)}-${name}`);
    // What is mounted there is the user's own: it must never be deleted with the volume.
    if (isMountPoint(this.dataPath(name)))
      throw new EngineError(
        'conflict',
        `remove ${name}: volume is still mounted at ${this.dataPath(name)}; unmount it`,
      );
    renameSync(join(this.#directory, name), going);
    this.#volumes.delete(name);
    await rm(going, { recursive: true, force: true });
  }
}
