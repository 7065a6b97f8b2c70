// What both graph drivers have on disk, and how it comes and goes whole:
//   l/NAME            a read-only layer's files
//   layers/ID.json    that it exists: its parent, its NAME, its size
//   writable/ID/      a writable layer; parent in it is a link whose target is the parent's id
//   trash, scratch    what is being removed; places to mount for a moment
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { removeTree } from '../kernel/directory.ts';
import { syncAlong } from '../kernel/sync-filesystem.ts';
import { EngineError } from '../model/engine-error.ts';
import { LayerIndex, type LayerRecord } from './layer-index.ts';

const FOLDERS = ['l', 'writable', 'trash', 'scratch'];

export class LayerDirectories {
  readonly root: string;
  readonly index: LayerIndex;

  private constructor(root: string) {
    this.root = root;
    this.index = new LayerIndex(join(root, 'layers'));
  }

  /** Makes the folders where they lack, and collects what a crash left. */
  static async open(root: string): Promise<LayerDirectories> {
    for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
    const directories = new LayerDirectories(root);
    await directories.#collect();
    return directories;
  }

  async #collect(): Promise<void> {
    const names = new Set(this.index.all().map(({ name }) => name));
    for (const name of readdirSync(join(this.root, 'l')))
      if (!names.has(name)) this.#toTrash(join(this.root, 'l', name));
    for (const name of readdirSync(join(this.root, 'writable')))
      if (name.startsWith('.')) this.#toTrash(join(this.root, 'writable', name));
    for (const folder of ['trash', 'scratch'])
      for (const name of readdirSync(join(this.root, folder))) await removeTree(join(this.root, folder, name));
  }

  get scratch(): string {
    return join(this.root, 'scratch');
  }

  pathOf(record: LayerRecord): string {
    return join(this.root, 'l', record.name);
  }

  /** `fill` gets an empty directory and says how many bytes the layer adds. Whole or not there at all. */
  async createLayer(id: string, parentId: string | null, fill: (directory: string) => Promise<number>): Promise<void> {
    if (this.index.get(id) !== undefined)
      throw new EngineError('conflict', `Cannot create layer "${id}": it is there already`);
    if (parentId !== null) this.index.chain(parentId);
    const name = randomBytes(5).toString('hex');
    const directory = join(this.root, 'l', name);
    mkdirSync(directory);
    // The root directory of who has no other layer that says otherwise.
    chmodSync(directory, 0o755);
    const sync = syncAlong(directory);
    try {
      const sizeBytes = await fill(directory);
      // Before the record is written: a power cut must not leave a layer that seems whole.
      await sync.finish();
      // Two pulls of one layer: the second one's is the same, and thrown away.
      if (this.index.get(id) === undefined) return this.index.put({ id, parentId, name, sizeBytes });
    } catch (error) {
      await sync.stop();
      await this.#discard(directory);
      throw error;
    }
    await this.#discard(directory);
  }

  writable(id: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id))
      throw new EngineError('invalid_argument', `Cannot name a writable layer "${id}"`);
    return join(this.root, 'writable', id);
  }

  /** Nothing of it is synced here: its files and links are written in one order by the file system's journal, and who
   * notes on disk that the container exists syncs that, and so this before it. */
  async createWritable(id: string, parentId: string | null, fill: (directory: string) => Promise<void>): Promise<void> {
    const directory = this.writable(id);
    if (parentId !== null) this.index.chain(parentId);
    if (existsSync(directory))
      throw new EngineError('conflict', `Cannot create writable layer "${id}": it is there already`);
    const fresh = mkdtempSync(join(this.root, 'writable', '.new-'));
    try {
      symlinkSync(parentId ?? 'none', join(fresh, 'parent'));
      await fill(fresh);
      renameSync(fresh, directory);
    } catch (error) {
      await this.#discard(fresh);
      throw error;
    }
  }

  /** Of a layer or a writable one. Throws not_found. */
  parentOf(id: string): string | null {
    const record = this.index.get(id);
    if (record !== undefined) return record.parentId;
    try {
      const parent = readlinkSync(join(this.writable(id), 'parent'));
      return parent === 'none' ? null : parent;
    } catch (error) {
      throw new EngineError('not_found', `Cannot find layer "${id}": the storage driver has none of that id`, {
        cause: error,
      });
    }
  }

  async remove(id: string): Promise<void> {
    const record = this.index.get(id);
    if (record !== undefined) {
      if (this.index.hasChildren(id))
        throw new EngineError('conflict', `Cannot remove layer "${id}": other layers lie on it`);
      this.index.delete(id);
      await this.#discard(this.pathOf(record));
    } else if (existsSync(this.writable(id))) await this.#discard(this.writable(id));
  }

  list(): { readonly layers: string[]; readonly writable: string[] } {
    const writable = readdirSync(join(this.root, 'writable')).filter((name) => !name.startsWith('.'));
    return { layers: this.index.all().map(({ id }) => id), writable };
  }

  #toTrash(path: string): string {
    const trash = join(this.root, 'trash', randomBytes(8).toString('hex'));
    renameSync(path, trash);
    return trash;
  }

  async #discard(path: string): Promise<void> {
    await removeTree(this.#toTrash(path));
  }
}
