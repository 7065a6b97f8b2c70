// Makes the entries of a tar archive as files below a root: a layer on disk, or what `docker cp` brings into a container.
// Every path is walked inside the root by the kernel; what an archive may do to files that are there is decided here.
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  chmodFd,
  chownFd,
  closeFd,
  linkAt,
  mkdirAt,
  mknodAt,
  openAt,
  symlinkAt,
  truncateFd,
  utimensFd,
  withFd,
  writeAll,
} from '../kernel/at.ts';
import { type ByteString, bytes, joined, shown } from '../kernel/byte-string.ts';
import { readDirectory, removeTreeAt } from '../kernel/directory.ts';
import type { Rooted } from '../kernel/rooted.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO, type Stat, isDirectory, isWhiteout, statAt } from '../kernel/stat.ts';
import { EngineError, SysError, isErrno } from '../model/engine-error.ts';
import { type Owner, setAttributes, setDefaultAcl } from './entry-attributes.ts';
import { refuseEscape, whiteoutOf } from './layer-path.ts';
import { setOpaque } from './overlay-xattr.ts';
import { ParentDirectories } from './parent-directories.ts';
import type { EntryType, TarEntry, TarHandler } from './tar/reader.ts';

export interface TreeOptions {
  /** overlay, removed: see LayerTarget. plain: names that begin with ".wh." are files like any other (docker cp). */
  readonly whiteouts: 'overlay' | 'removed' | 'plain';
  /** Directory inside the root that the archive's paths are taken from; default: the root. */
  readonly below?: ByteString;
  /** Instead of the owners in the archive. */
  readonly owner?: Owner;
  /** Refuse to put a file where a directory is, and the other way round (Docker's noOverwriteDirNonDir). */
  readonly keepTypes?: boolean;
  readonly limits?: Partial<TreeLimits>;
}

export interface TreeLimits {
  readonly entries: number;
  /** Of file content on disk; holes don't count. */
  readonly bytes: number;
}

const DEFAULT_LIMITS: TreeLimits = { entries: 1_000_000, bytes: Infinity };
/** Zeros of this length, at such an offset, become a hole. */
const HOLE_BYTES = 65536;
const ZEROS = Buffer.alloc(HOLE_BYTES);
const ATTEMPTS = 4;
interface OpenFile {
  readonly fd: number;
  readonly entry: TarEntry;
  writtenTo: number;
}

export class TreeWriter implements TarHandler {
  readonly #root: Rooted;
  readonly #options: TreeOptions;
  readonly #limits: TreeLimits;
  readonly #parents: ParentDirectories;
  /** Set when all is there: making an entry changes its directory's time. */
  readonly #directories = new Map<ByteString, TarEntry>();
  /** Whiteouts take away what lower layers have, never what this archive made (only for "removed"). */
  readonly #made = new Set<string>();
  #file: OpenFile | null = null;
  #path = '' as ByteString;
  entries = 0;
  bytes = 0;
  /** Attributes and devices that this file system, or a user namespace, does not allow. */
  readonly skipped: string[] = [];

  constructor(root: Rooted, options: TreeOptions) {
    this.#root = root;
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#parents = new ParentDirectories(root, (directory, name) => this.#impliedDirectory(directory, name));
  }

  entry(entry: TarEntry): void {
    this.#path = entry.path;
    this.#explained(() => this.#take(entry));
  }

  #take(entry: TarEntry): void {
    this.entries += 1;
    if (this.entries > this.#limits.entries)
      throw this.#refused(`the archive has more than ${this.#limits.entries} entries`);
    const parts = refuseEscape(entry.path);
    const name = parts.pop();
    if (name === undefined) return this.#takeRoot(entry);
    const inner = parts.join('/') as ByteString;
    const parent = this.#inside(inner);
    if (this.#options.whiteouts !== 'plain') {
      const whiteout = whiteoutOf(entry.path, parts, name);
      if (whiteout === 'metadata') return;
      if (whiteout !== null) return this.#takeWhiteout(parent, whiteout);
    }
    if (this.#options.whiteouts === 'removed')
      for (let depth = 1; depth <= parts.length + 1; depth += 1)
        this.#made.add([...parts, name].slice(0, depth).join('/'));
    this.#put(this.#parents.open(parent), name as ByteString, joined(parent, name as ByteString), entry);
  }

  #inside(inner: ByteString): ByteString {
    const below = this.#options.below ?? bytes('');
    return inner === '' ? below : joined(below, inner);
  }

  /** Makes the entry, after what is there was taken away where that is allowed. */
  #put(directory: number, name: ByteString, path: ByteString, entry: TarEntry): void {
    // What was there hid the directory below it: so must the new one.
    let opaque = false;
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.#make(directory, name, path, entry);
        if (opaque) setOpaque(directory, name);
        return;
      } catch (error) {
        // Only where a living process puts things in our way is it there again.
        if (!isErrno(error, 'EEXIST') || attempt === ATTEMPTS) throw error;
        if (this.#clear(directory, name, path, entry)) return this.#setDirectory(directory, name, path, entry);
        opaque = this.#options.whiteouts === 'overlay' && entry.type === 'directory';
      }
    }
  }

  #takeRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') throw this.#refused('it would replace the root directory');
    if (this.#options.whiteouts !== 'plain') this.#setDirectory(this.#root.fd, bytes('.'), bytes('.'), entry);
  }

  #make(directory: number, name: ByteString, path: ByteString, entry: TarEntry): void {
    const make: Readonly<Record<EntryType, () => void>> = {
      directory: () => {
        mkdirAt(directory, name, 0o700);
        this.#setDirectory(directory, name, path, entry);
      },
      file: () => {
        const fd = openAt(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
        this.#file = { fd, entry, writtenTo: 0 };
      },
      link: () => {
        symlinkAt(entry.link, directory, name);
        this.#setNode(directory, name, entry);
      },
      'hard link': () => this.#hardLink(directory, name, entry),
      'character device': () => this.#node(directory, name, entry, S_IFCHR),
      'block device': () => this.#node(directory, name, entry, S_IFBLK),
      fifo: () => this.#node(directory, name, entry, S_IFIFO),
    };
    make[entry.type]();
  }

  #node(directory: number, name: ByteString, entry: TarEntry, type: number): void {
    try {
      mknodAt(directory, name, type | 0o600, entry.devMajor, entry.devMinor);
    } catch (error) {
      // In a user namespace nobody makes devices; images that bring some work without them.
      if (!isErrno(error, 'EPERM')) throw error;
      this.skipped.push(`${shown(entry.path)}: ${entry.type} (EPERM)`);
      return;
    }
    this.#setNode(directory, name, entry);
  }

  /** A link, device or fifo: never opened but by O_PATH, so that nothing happens and nothing waits. */
  #setNode(directory: number, name: ByteString, entry: TarEntry): void {
    withFd(openAt(directory, name, O_PATH | O_NOFOLLOW), (fd) => {
      setAttributes(fd, entry, this.#options.owner, this.skipped);
      utimensFd(fd, entry.mtime, entry.mtime, shown(entry.path));
    });
  }

  #hardLink(directory: number, name: ByteString, entry: TarEntry): void {
    const parts = refuseEscape(entry.link);
    const target = parts.pop() as ByteString | undefined;
    if (target === undefined) throw this.#refused('it is a hard link to the root directory');
    const inner = parts.join('/') as ByteString;
    const parent = this.#inside(inner);
    const from = this.#parents.openExisting(parent);
    if (from === null || statAt(from, target) === null)
      throw this.#refused(`it is a hard link to "${shown(entry.link)}", which the archive has not brought`);
    linkAt(from, target, directory, name);
  }

  /** Makes room for an entry. True: a directory is there already, and only gets the entry's rights. */
  #clear(directory: number, name: ByteString, path: ByteString, entry: TarEntry): boolean {
    const there = statAt(directory, name);
    if (there === null) return false;
    if (isDirectory(there) && entry.type === 'directory') return true;
    if (this.#options.keepTypes === true) this.#refuseOtherType(there, path, entry);
    removeTreeAt(directory, name);
    if (!isDirectory(there)) return false;
    this.#parents.forget(directory);
    for (const directoryPath of this.#directories.keys())
      if (directoryPath === path || directoryPath.startsWith(`${path}/`)) this.#directories.delete(directoryPath);
    return false;
  }

  #refuseOtherType(there: Stat, path: ByteString, entry: TarEntry): void {
    const [at, into] = [`/${shown(path)}`, `/${shown(this.#options.below ?? bytes(''))}`];
    const refuse = (what: string, by: string) =>
      new EngineError('invalid_argument', `cannot overwrite ${what} "${at}" with ${by} "${into}"`);
    if (isDirectory(there)) throw refuse('directory', 'non-directory');
    if (entry.type === 'directory') throw refuse('non-directory', 'directory');
  }

  #impliedDirectory(directory: number, name: ByteString): void {
    try {
      mkdirAt(directory, name, 0o755);
    } catch (error) {
      const there = statAt(directory, name);
      const hidden = this.#options.whiteouts === 'overlay' && there !== null && isWhiteout(there);
      if (!isErrno(error, 'EEXIST') || !hidden) throw error;
      removeTreeAt(directory, name);
      mkdirAt(directory, name, 0o755);
      setOpaque(directory, name);
    }
    withFd(openAt(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), (fd) => {
      chmodFd(fd, 0o755, shown(name));
      const owner = this.#options.owner;
      if (owner !== undefined) chownFd(fd, owner.uid, owner.gid, shown(name));
    });
  }

  #takeWhiteout(parent: ByteString, whiteout: { readonly name: ByteString } | 'opaque'): void {
    const directory = this.#parents.open(parent);
    if (this.#options.whiteouts === 'overlay') {
      if (whiteout === 'opaque') return setOpaque(directory, bytes('.'));
      const there = statAt(directory, whiteout.name);
      if (there === null) mknodAt(directory, whiteout.name, S_IFCHR, 0, 0);
      // What this archive has brought before stays; a directory must not let the lower one through.
      else if (isDirectory(there)) setOpaque(directory, whiteout.name);
      return;
    }
    if (whiteout === 'opaque') this.#removeOlderIn(directory, parent);
    else this.#removeOlder(directory, whiteout.name, joined(parent, whiteout.name));
    this.#parents.forget();
  }

  #removeOlder(directory: number, name: ByteString, path: ByteString): void {
    if (!this.#made.has(path)) return removeTreeAt(directory, name);
    const there = statAt(directory, name);
    if (there === null || !isDirectory(there)) return;
    withFd(openAt(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), (fd) => this.#removeOlderIn(fd, path));
  }

  #removeOlderIn(directory: number, path: ByteString): void {
    withFd(openAt(directory, bytes('.'), O_RDONLY | O_DIRECTORY), (fd) => {
      for (const { name } of readDirectory(fd)) this.#removeOlder(fd, name, joined(path, name));
    });
  }

  data(content: Uint8Array, offset: number): void {
    const file = this.#file;
    if (file === null) return;
    let from = 0;
    while (from < content.length) {
      // Pieces end at multiples of the hole's size, so that what is skipped is whole blocks.
      const length = Math.min(HOLE_BYTES - ((offset + from) % HOLE_BYTES), content.length - from);
      let end = from + length;
      if (isZero(content, from, end)) {
        from = end;
        continue;
      }
      while (end < content.length) {
        const next = Math.min(end + HOLE_BYTES, content.length);
        if (isZero(content, end, next)) break;
        end = next;
      }
      this.bytes += end - from;
      if (this.bytes > this.#limits.bytes)
        throw this.#refused(`the archive’s content is more than the ${this.#limits.bytes} bytes there is room for`);
      const [start, stop] = [from, end];
      this.#explained(() => writeAll(file.fd, content.subarray(start, stop), offset + start, shown(file.entry.path)));
      file.writtenTo = offset + end;
      from = end;
    }
  }

  entryEnd(): void {
    const file = this.#file;
    if (file === null) return;
    this.#explained(() => {
      const { fd, entry } = file;
      if (file.writtenTo < entry.size) truncateFd(fd, entry.size, shown(entry.path));
      setAttributes(fd, entry, this.#options.owner, this.skipped);
      utimensFd(fd, entry.mtime, entry.mtime, shown(entry.path));
    });
    this.#file = null;
    closeFd(file.fd);
  }

  #setDirectory(directory: number, name: ByteString, path: ByteString, entry: TarEntry): void {
    withFd(openAt(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), (fd) =>
      setAttributes(fd, entry, this.#options.owner, this.skipped),
    );
    this.#directories.set(path, entry);
  }

  /** Call when the archive has come to its end. */
  finish(): void {
    for (const [path, entry] of [...this.#directories].toReversed()) {
      this.#path = path;
      this.#explained(() => {
        const fd = this.#parents.openExisting(path);
        if (fd === null) return;
        setDefaultAcl(fd, entry);
        utimensFd(fd, entry.mtime, entry.mtime, shown(path));
      });
    }
  }

  /** Call in any case. */
  close(): void {
    if (this.#file !== null) closeFd(this.#file.fd);
    this.#file = null;
    this.#parents.close();
  }

  #refused(why: string): EngineError {
    return new EngineError('invalid_argument', `Cannot unpack "${shown(this.#path)}": ${why}`);
  }

  #explained(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      const what = `Cannot unpack "${shown(this.#path)}"`;
      if (error.errno === 'ENOSPC' || error.errno === 'EDQUOT')
        throw new EngineError(
          'internal',
          `${what}: no space left on device; remove images or containers, or use a larger disk`,
          { cause: error },
        );
      if (['ENAMETOOLONG', 'ENOTDIR', 'ELOOP', 'EINVAL', 'EFBIG', 'EEXIST', 'EROFS', 'EPERM'].includes(error.errno))
        throw new EngineError(
          error.errno === 'EROFS' ? 'permission_denied' : 'invalid_argument',
          `${what}: ${error.message}`,
          { cause: error },
        );
      throw error;
    }
  }
}

function isZero(content: Uint8Array, from: number, end: number): boolean {
  if (content[from] !== 0 || end - from < 4096) return false;
  return Buffer.compare(content.subarray(from, end), ZEROS.subarray(0, end - from)) === 0;
}
