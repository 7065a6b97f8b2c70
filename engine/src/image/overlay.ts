// The graph driver that stacks layers with overlayfs: each layer is a directory of only what it adds, a writable one an
// upper and a work directory. What lies where: layer-directories.ts.
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AT_FDCWD, O_DIRECTORY, O_PATH, O_RDONLY, mknodAt, openAt, withFd } from '../kernel/at.ts';
import { bytes } from '../kernel/byte-string.ts';
import { DT_UNKNOWN, readDirectory } from '../kernel/directory.ts';
import type { Rooted } from '../kernel/rooted.ts';
import { S_IFCHR, isWhiteout, statAt } from '../kernel/stat.ts';
import { EngineError } from '../model/engine-error.ts';
import type { DiffEvent } from './diff-event.ts';
import type { GraphDriver, LayerTarget, RootfsMount } from './graph-driver.ts';
import { LayerDirectories } from './layer-directories.ts';
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
  readonly #directories: LayerDirectories;
  readonly #options: readonly string[];
  /** A layer with nothing in it: overlay takes no less than two where nothing is writable, and one where something is. */
  readonly #empty: string;

  private constructor(directories: LayerDirectories, options: readonly string[]) {
    this.#directories = directories;
    this.#options = options;
    this.#empty = join(directories.root, 'empty');
  }

  /** Opens the store below `root`, makes it where it lacks, and collects what a crash left. Throws unavailable with a
   * sentence on a file system that can hold no overlay layers. */
  static async open(root: string, options: OverlayDriverOptions = {}): Promise<OverlayDriver> {
    const directories = await LayerDirectories.open(root);
    mkdirSync(join(root, 'empty'), { recursive: true });
    chmodSync(join(root, 'empty'), 0o755);
    refuseUnfit(directories.scratch);
    return new OverlayDriver(directories, options.userNamespace === true ? USER_OPTIONS : OPTIONS);
  }

  status(): readonly (readonly [string, string])[] {
    return [
      ['Layers', String(this.#directories.index.all().length)],
      ['Mount options', this.#options.join(',')],
    ];
  }

  createLayer(id: string, parentId: string | null, fill: (layer: LayerTarget) => Promise<void>): Promise<void> {
    return this.#directories.createLayer(id, parentId, async (directory) => {
      await fill({ directory, whiteouts: 'overlay' });
      const content = await treeContent(directory);
      if (content.whiteouts > 0) this.#prune(directory, parentId);
      return content.bytes;
    });
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
    return this.#directories.index.get(id) !== undefined;
  }

  createWritable(id: string, parentId: string | null): Promise<void> {
    return this.#directories.createWritable(id, parentId, (directory) => {
      mkdirSync(join(directory, 'upper'));
      chmodSync(join(directory, 'upper'), 0o755);
      mkdirSync(join(directory, 'work'), { mode: 0o700 });
      return Promise.resolve();
    });
  }

  mountOf(id: string, options: { readonly volatile?: boolean } = {}): RootfsMount {
    const isLayer = this.hasLayer(id);
    const top = isLayer ? id : this.#directories.parentOf(id);
    const lower =
      top === null ? [] : this.#directories.index.chain(top).map((record) => this.#directories.pathOf(record));
    if (isLayer) return { kind: 'overlay', lower: [...lower, this.#empty], options: this.#options };
    const directory = this.#directories.writable(id);
    const writable = { upper: join(directory, 'upper'), work: join(directory, 'work') };
    // Overlay refuses a second volatile mount until this mark of the first one is gone. Nothing crashed in between, or the
    // container would have been removed with its --rm.
    rmSync(join(writable.work, 'work/incompat'), { recursive: true, force: true });
    return {
      kind: 'overlay',
      lower: lower.length === 0 ? [this.#empty] : lower,
      writable,
      options: options.volatile === true ? [...this.#options, 'volatile'] : this.#options,
    };
  }

  remove(id: string): Promise<void> {
    return this.#directories.remove(id);
  }

  list(): { readonly layers: string[]; readonly writable: string[] } {
    return this.#directories.list();
  }

  #filesOf(id: string): string {
    const record = this.#directories.index.get(id);
    return record === undefined ? join(this.#directories.writable(id), 'upper') : this.#directories.pathOf(record);
  }

  *differences(id: string): Generator<DiffEvent> {
    const below = this.#openBelow(this.#directories.parentOf(id));
    try {
      yield* overlayDiff(this.#filesOf(id), below.fd);
    } finally {
      below.close();
    }
  }

  #openBelow(parentId: string | null): Rooted {
    const empty = { kind: 'directory', path: this.#empty } as const;
    return openRootfs(parentId === null ? empty : this.mountOf(parentId), this.#directories.scratch);
  }

  async sizeBytes(id: string): Promise<number> {
    const record = this.#directories.index.get(id);
    if (record !== undefined) return record.sizeBytes;
    this.#directories.parentOf(id);
    return (await treeContent(this.#filesOf(id))).bytes;
  }
}

/** Tries what layers need: whiteouts, an attribute for opaque directories, types of directory entries. */
function refuseUnfit(scratch: string): void {
  const name = bytes(`probe-${randomBytes(5).toString('hex')}`);
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
        `Cannot keep layers below "${scratch}" with the overlay driver: its file system lacks whiteouts, extended attributes or ` +
          'types of directory entries; use --storage-driver vfs, or a data root on ext4, xfs or btrfs',
        { cause: error },
      );
    } finally {
      rmSync(join(scratch, name), { force: true });
    }
  });
}
