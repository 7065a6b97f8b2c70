// The graph driver that stacks layers with overlayfs: each layer is a directory of only what it adds.
//   l/NAME                  a read-only layer's files
//   layers/ID.json          that it exists: its parent, its NAME, its size
//   writable/ID/{upper,work,parent}   a writable layer; parent is a link whose target is the parent's id
//   trash, scratch, empty   what is being removed; places to mount for a moment; a layer with nothing in it
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { AT_FDCWD, O_DIRECTORY, O_PATH, O_RDONLY, mknodAt, openAt, withFd } from '../kernel/at.ts';
import { bytes } from '../kernel/byte-string.ts';
import type { Rooted } from '../kernel/rooted.ts';
import { DT_UNKNOWN, readDirectory, removeTree } from '../kernel/directory.ts';
import { S_IFCHR, isWhiteout, statAt } from '../kernel/stat.ts';
import { syncAlong } from '../kernel/sync-filesystem.ts';
import { EngineError } from '../model/engine-error.ts';
import type { DiffEvent } from './diff-event.ts';
import type { GraphDriver, LayerTarget, RootfsMount } from './graph-driver.ts';
import { LayerIndex } from './layer-index.ts';
import { overlayDiff, pruneWhiteouts } from './overlay-diff.ts';
import { setOpaque } from './overlay-xattr.ts';
import { openRootfs } from './rootfs.ts';
import { treeContent } from './tree-content.ts';

/** The kernel's defaults are a matter of its configuration: a layer must mean the same on every host. */
const OPTIONS = ['index=off', 'metacopy=off', 'redirect_dir=off'];
/** In a user namespace overlay reads user.overlay.*; it takes no word on redirect_dir then, and is safe by itself. */
const USER_OPTIONS = ['userxattr', 'index=off'];

export interface OverlayDriverOptions {
  /** The engine runs inside a user namespace. */
  readonly userNamespace?: boolean;
}

export class OverlayDriver implements GraphDriver {
  readonly name = 'overlay';
  readonly #root: string;
  readonly #layers: LayerIndex;
  readonly #options: readonly string[];

  private constructor(root: string, options: readonly string[]) {
    this.#root = root;
    this.#options = options;
    this.#layers = new LayerIndex(join(root, 'layers'));
  }

  /** Opens the store below `root`, makes it where it lacks, and collects what a crash left. Throws unavailable with a
   * sentence on a file system that can hold no overlay layers. */
  static async open(root: string, options: OverlayDriverOptions = {}): Promise<OverlayDriver> {
    for (const name of ['l', 'writable', 'trash', 'scratch', 'empty'])
      mkdirSync(join(root, name), { recursive: true, mode: 0o700 });
    chmodSync(join(root, 'empty'), 0o755);
    refuseUnfit(root);
    const driver = new OverlayDriver(root, options.userNamespace === true ? USER_OPTIONS : OPTIONS);
    await driver.#collect();
    return driver;
  }

  async #collect(): Promise<void> {
    const names = new Set(this.#layers.all().map(({ name }) => name));
    for (const name of readdirSync(join(this.#root, 'l')))
      if (!names.has(name)) this.#toTrash(join(this.#root, 'l', name));
    for (const name of readdirSync(join(this.#root, 'writable')))
      if (name.startsWith('.')) this.#toTrash(join(this.#root, 'writable', name));
    for (const folder of ['trash', 'scratch'])
      for (const name of readdirSync(join(this.#root, folder))) await removeTree(join(this.#root, folder, name));
  }

  status(): readonly (readonly [string, string])[] {
    return [
      ['Layers', String(this.#layers.all().length)],
      ['Mount options', this.#options.join(',')],
    ];
  }

  async createLayer(id: string, parentId: string | null, fill: (layer: LayerTarget) => Promise<void>): Promise<void> {
    if (this.hasLayer(id)) throw new EngineError('conflict', `Cannot create layer "${id}": it is there already`);
    if (parentId !== null) this.#layers.chain(parentId);
    const name = randomBytes(5).toString('hex');
    const directory = join(this.#root, 'l', name);
    mkdirSync(directory, { mode: 0o755 });
    chmodSync(directory, 0o755);
    const sync = syncAlong(directory);
    try {
      await fill({ directory, whiteouts: 'overlay' });
      const content = await treeContent(directory);
      if (content.whiteouts > 0) this.#prune(directory, parentId);
      // Before the record is written: a power cut must not leave a layer that seems whole.
      await sync.finish();
      // Two pulls of one layer: the second one's is the same, and thrown away.
      if (!this.hasLayer(id)) return this.#layers.put({ id, parentId, name, sizeBytes: content.bytes });
    } catch (error) {
      await sync.stop();
      await this.#discard(directory);
      throw error;
    }
    await this.#discard(directory);
  }

  #prune(directory: string, parentId: string | null): void {
    const below = this.#openBelow(parentId);
    try {
      pruneWhiteouts(directory, below.fd);
    } finally {
      below.close();
    }
  }

  hasLayer(id: string): boolean {
    return this.#layers.get(id) !== undefined;
  }

  #writable(id: string): string {
    if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(id))
      throw new EngineError('invalid_argument', `Cannot name a writable layer "${id}"`);
    return join(this.#root, 'writable', id);
  }

  /** Nothing of it is synced here: its files and links are written in one order by the file system's journal, and who
   * notes on disk that the container exists syncs that, and so this before it. */
  createWritable(id: string, parentId: string | null): Promise<void> {
    const directory = this.#writable(id);
    if (parentId !== null) this.#layers.chain(parentId);
    if (existsSync(directory))
      throw new EngineError('conflict', `Cannot create writable layer "${id}": it is there already`);
    const fresh = mkdtempSync(join(this.#root, 'writable', '.new-'));
    mkdirSync(join(fresh, 'upper'), { mode: 0o755 });
    chmodSync(join(fresh, 'upper'), 0o755);
    mkdirSync(join(fresh, 'work'), { mode: 0o700 });
    symlinkSync(parentId ?? 'none', join(fresh, 'parent'));
    renameSync(fresh, directory);
    return Promise.resolve();
  }

  #parentOf(id: string): string | null {
    try {
      const parent = readlinkSync(join(this.#writable(id), 'parent'));
      return parent === 'none' ? null : parent;
    } catch (error) {
      throw new EngineError('not_found', `Cannot find layer "${id}": the storage driver has none of that id`, {
        cause: error,
      });
    }
  }

  #lower(id: string | null): string[] {
    const names = id === null ? [] : this.#layers.chain(id).map(({ name }) => join(this.#root, 'l', name));
    return names.length === 0 ? [join(this.#root, 'empty')] : names;
  }

  mountOf(id: string, options: { readonly volatile?: boolean } = {}): RootfsMount {
    if (this.hasLayer(id))
      // Overlay takes no less than two where nothing is writable.
      return { kind: 'overlay', lower: [...this.#lower(id), join(this.#root, 'empty')], options: this.#options };
    const lower = this.#lower(this.#parentOf(id));
    const writable = { upper: join(this.#writable(id), 'upper'), work: join(this.#writable(id), 'work') };
    // Overlay refuses a second volatile mount until this mark of the first one is gone. Nothing crashed in between, or the
    // container would have been removed with its --rm.
    rmSync(join(writable.work, 'work/incompat'), { recursive: true, force: true });
    return {
      kind: 'overlay',
      lower,
      writable,
      options: options.volatile === true ? [...this.#options, 'volatile'] : this.#options,
    };
  }

  async remove(id: string): Promise<void> {
    const record = this.#layers.get(id);
    if (record !== undefined) {
      if (this.#layers.hasChildren(id))
        throw new EngineError('conflict', `Cannot remove layer "${id}": other layers lie on it`);
      this.#layers.delete(id);
      await this.#discard(join(this.#root, 'l', record.name));
    } else if (existsSync(this.#writable(id))) await this.#discard(this.#writable(id));
  }

  #toTrash(path: string): string {
    const trash = join(this.#root, 'trash', randomBytes(8).toString('hex'));
    renameSync(path, trash);
    return trash;
  }

  async #discard(path: string): Promise<void> {
    await removeTree(this.#toTrash(path));
  }

  list(): { readonly layers: string[]; readonly writable: string[] } {
    return {
      layers: this.#layers.all().map(({ id }) => id),
      writable: readdirSync(join(this.#root, 'writable')).filter((name) => !name.startsWith('.')),
    };
  }

  *differences(id: string): Generator<DiffEvent> {
    const record = this.#layers.get(id);
    const parentId = record === undefined ? this.#parentOf(id) : record.parentId;
    const upper = record === undefined ? join(this.#writable(id), 'upper') : join(this.#root, 'l', record.name);
    const root = this.#openBelow(parentId);
    try {
      yield* overlayDiff(upper, root.fd);
    } finally {
      root.close();
    }
  }

  #openBelow(parentId: string | null): Rooted {
    const empty = { kind: 'directory', path: join(this.#root, 'empty') } as const;
    return openRootfs(parentId === null ? empty : this.mountOf(parentId), join(this.#root, 'scratch'));
  }

  async sizeBytes(id: string): Promise<number> {
    const record = this.#layers.get(id);
    if (record !== undefined) return record.sizeBytes;
    this.#parentOf(id);
    return (await treeContent(join(this.#writable(id), 'upper'))).bytes;
  }
}

/** Tries what layers need: whiteouts, and an attribute for opaque directories. */
function refuseUnfit(root: string): void {
  const name = bytes(`probe-${randomBytes(5).toString('hex')}`);
  const scratch = join(root, 'scratch');
  withFd(openAt(AT_FDCWD, bytes(scratch), O_PATH | O_DIRECTORY), (fd) => {
    try {
      mknodAt(fd, name, S_IFCHR, 0, 0);
      const stat = statAt(fd, name);
      if (stat === null || !isWhiteout(stat)) throw new Error('a whiteout did not stay one');
      setOpaque(fd, bytes('.'));
      const entries = withFd(openAt(fd, bytes('.'), O_RDONLY | O_DIRECTORY), (open) => readDirectory(open));
      if (entries.some(({ type }) => type === DT_UNKNOWN)) throw new Error('it tells no types of files (d_type)');
    } catch (error) {
      throw new EngineError(
        'unavailable',
        `Cannot keep layers in "${root}" with the overlay driver: its file system lacks whiteouts, extended attributes or types of directory entries; ` +
          'use --storage-driver vfs, or a data root on ext4, xfs or btrfs',
        { cause: error },
      );
    } finally {
      rmSync(join(scratch, name), { force: true });
    }
  });
}
