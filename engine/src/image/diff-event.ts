// What a layer or a writable layer changes against what lies below it, file by file: the one source of `docker diff` and
// of a layer's tar, whichever driver keeps the layers.
import { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, closeFd, openAt, openIfThere, readlinkAt } from '../kernel/at.ts';
import { type ByteString, bytes, shown } from '../kernel/byte-string.ts';
import { readDirectory } from '../kernel/directory.ts';
import { type Stat, fileType, isDirectory, S_IFLNK } from '../kernel/stat.ts';
import { getXattr, listXattrs } from '../kernel/xattr.ts';
import { EngineError } from '../model/engine-error.ts';
import { OVERLAY_XATTR } from './overlay-xattr.ts';

export interface DiffEvent {
  /** unchanged: there again, as it was (a directory above a change, a file that was copied up); opaque: of the directory
   * that came just before: nothing from below shows in it; deleted: has no stat. */
  readonly kind: 'added' | 'modified' | 'unchanged' | 'deleted' | 'opaque';
  /** From the root, without a slash before it. */
  readonly path: ByteString;
  /** A descriptor of the directory that holds it, and its name there: until the next event is asked for. */
  readonly directory: number;
  readonly name: ByteString;
  readonly stat: Stat | null;
}

export const DIRECTORY_FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
/** Each level of a walk holds one or two descriptors. */
const MAX_LEVELS = 1000;

/** Sorted by bytes: archives and lists of changes must not depend on how a file system orders names. */
export const namesIn = (fd: number, path: ByteString): ByteString[] =>
  readDirectory(fd, shown(path))
    .map(({ name }) => name)
    .sort();

/** A descriptor of a directory for the length of `walk`; null is passed where there is none. */
export function* within<T>(
  parent: number,
  name: ByteString,
  depth: number,
  walk: (fd: number | null) => Generator<T>,
): Generator<T> {
  if (depth > MAX_LEVELS)
    throw new EngineError(
      'invalid_argument',
      `Cannot read "…/${shown(name)}": it lies more than ${MAX_LEVELS} directories deep`,
    );
  const fd = openIfThere(parent, name, DIRECTORY_FLAGS);
  try {
    yield* walk(fd);
  } finally {
    if (fd !== null) closeFd(fd);
  }
}

/** Runs a walk over a host directory. */
export function* walkFrom<T>(path: string, walk: (fd: number) => Generator<T>): Generator<T> {
  const fd = openAt(-100, bytes(path), DIRECTORY_FLAGS);
  try {
    yield* walk(fd);
  } finally {
    closeFd(fd);
  }
}

interface Place {
  readonly directory: number;
  readonly name: ByteString;
  readonly stat: Stat;
}

/** Whether two files of one path are the same as far as can be told without reading them: Docker's rule, and links and
 * extended attributes. A directory's times don't count: they change with what is in it. */
export function looksSame(one: Place, other: Place): boolean {
  const [a, b] = [one.stat, other.stat];
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false;
  if (a.rdevMajor !== b.rdevMajor || a.rdevMinor !== b.rdevMinor) return false;
  const sameTime = a.mtime.sec === b.mtime.sec && a.mtime.nsec === b.mtime.nsec;
  if (!isDirectory(a) && (a.size !== b.size || !sameTime)) return false;
  if (fileType(a) === S_IFLNK && readlinkAt(one.directory, one.name) !== readlinkAt(other.directory, other.name))
    return false;
  return attributesOf(one) === attributesOf(other);
}

function attributesOf({ directory, name }: Place): string {
  const own = listXattrs(directory, name).filter((key) => !OVERLAY_XATTR.test(key));
  return own.map((key) => `${key}=${getXattr(directory, name, key)?.toString('hex')}`).join(' ');
}
