// The graph driver for file systems that can hold no overlay layers: each layer is a whole copy of its parent with its
// changes applied. Slow, and takes room for each copy (shared blocks where the file system can: reflink).
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { syncFilesystem } from '../kernel/sync-filesystem.ts';
import { EngineError } from '../model/engine-error.ts';
import type { DiffEvent } from './diff-event.ts';
import type { GraphDriver, LayerTarget, RootfsMount } from './graph-driver.ts';
import { LayerDirectories } from './layer-directories.ts';
import { treeDiff } from './tree-diff.ts';

const run = promisify(execFile);

/** Owners, modes, times, links, attributes and holes; "." so that the directory itself gets them, too. */
async function copyTree(from: string, to: string): Promise<void> {
  try {
    await run('cp', ['-a', '--reflink=auto', '--sparse=auto', `${from}/.`, to], {
      env: { ...process.env, LC_ALL: 'C' },
    });
  } catch (error) {
    const said =
      error instanceof Error && 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : String(error);
    throw new EngineError('internal', `Cannot copy a layer for the vfs driver: ${said}`, { cause: error });
  }
}

export class VfsDriver implements GraphDriver {
  readonly name = 'vfs';
  readonly #directories: LayerDirectories;

  private constructor(directories: LayerDirectories) {
    this.#directories = directories;
  }

  /** Opens the store below `root`, makes it where it lacks, and collects what a crash left. */
  static async open(root: string): Promise<VfsDriver> {
    return new VfsDriver(await LayerDirectories.open(root));
  }

  status(): readonly (readonly [string, string])[] {
    return [['Layers', String(this.#directories.index.all().length)]];
  }

  createLayer(id: string, parentId: string | null, fill: (layer: LayerTarget) => Promise<void>): Promise<void> {
    return this.#directories.createLayer(id, parentId, async (directory) => {
      if (parentId !== null) await copyTree(this.#filesOf(parentId), directory);
      await fill({ directory, whiteouts: 'removed' });
      return addedBytes(treeDiff(directory, parentId === null ? null : this.#filesOf(parentId)));
    });
  }

  hasLayer(id: string): boolean {
    return this.#directories.index.get(id) !== undefined;
  }

  createWritable(id: string, parentId: string | null): Promise<void> {
    return this.#directories.createWritable(id, parentId, async (directory) => {
      const root = join(directory, 'root');
      mkdirSync(root);
      chmodSync(root, 0o755);
      if (parentId !== null) await copyTree(this.#filesOf(parentId), root);
      // Files whose names are on the disk before their bytes would be empty after a power cut.
      await syncFilesystem(root);
    });
  }

  #filesOf(id: string): string {
    const record = this.#directories.index.get(id);
    if (record !== undefined) return this.#directories.pathOf(record);
    this.#directories.parentOf(id);
    return join(this.#directories.writable(id), 'root');
  }

  mountOf(id: string): RootfsMount {
    return { kind: 'directory', path: this.#filesOf(id) };
  }

  remove(id: string): Promise<void> {
    return this.#directories.remove(id);
  }

  list(): { readonly layers: string[]; readonly writable: string[] } {
    return this.#directories.list();
  }

  differences(id: string): Generator<DiffEvent> {
    const parentId = this.#directories.parentOf(id);
    return treeDiff(this.#filesOf(id), parentId === null ? null : this.#filesOf(parentId));
  }

  async sizeBytes(id: string): Promise<number> {
    return this.#directories.index.get(id)?.sizeBytes ?? Promise.resolve(addedBytes(this.differences(id)));
  }
}

/** Sizes of what is new or changed: what the other driver would keep. Names of one file count once. */
function addedBytes(events: Iterable<DiffEvent>): number {
  const seen = new Set<string>();
  let total = 0;
  for (const { stat, kind } of events) {
    const isContent = stat !== null && (kind === 'added' || kind === 'modified') && (stat.mode & 0o170000) !== 0o040000;
    if (!isContent || seen.has(stat.identity)) continue;
    if (stat.links > 1) seen.add(stat.identity);
    total += Math.min(stat.size, Math.max(stat.blocks * 512, 65536));
  }
  return total;
}
