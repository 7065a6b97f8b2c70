// Reads etc/passwd and etc/group of a container's root file system, at rest or running. What the image made of these paths
// is not trusted: links stay inside, only regular files are read, and not without end.
import {
  closeFd,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  openAt,
  openIfThere,
  readlinkAt,
  readUpTo,
} from '../kernel/at.ts';
import { bytes } from '../kernel/byte-string.ts';
import { Rooted } from '../kernel/rooted.ts';
import { fileType, isDirectory, isWhiteout, S_IFLNK, S_IFREG, statAt, statOf } from '../kernel/stat.ts';
import { getXattr } from '../kernel/xattr.ts';
import type { RootfsMount } from '../image/graph-driver.ts';
import { isErrno } from '../model/engine-error.ts';
import type { Accounts } from './user.ts';

const MOST_BYTES = 4 * 2 ** 20;
const MOST_LINKS = 8;
const AT_FDCWD = -100;

/** Of a container that does not run. */
export function accountsOf(rootfs: RootfsMount): Accounts {
  const layers =
    rootfs.kind === 'directory'
      ? [rootfs.path]
      : [...(rootfs.writable ? [rootfs.writable.upper] : []), ...rootfs.lower];
  return { passwd: readLayered(layers, '/etc/passwd'), group: readLayered(layers, '/etc/group') };
}

/** Of a running one, as its processes see them. */
export function accountsOfProcess(pid: number): Accounts {
  const root = Rooted.ofProcess(pid);
  const read = (path: string): string | null => {
    try {
      return readRegular(root.open(bytes(path), O_RDONLY | O_NONBLOCK), path);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'ENXIO'].some((errno) => isErrno(error, errno))) return null;
      throw error;
    }
  };
  try {
    return { passwd: read('/etc/passwd'), group: read('/etc/group') };
  } finally {
    root.close();
  }
}

/** Closes `fd`. */
function readRegular(fd: number, path: string): string | null {
  try {
    const stat = statOf(fd, path);
    if (fileType(stat) !== S_IFREG) return null;
    const buffer = Buffer.alloc(Math.min(stat.size, MOST_BYTES));
    return buffer.subarray(0, readUpTo(fd, buffer, 0, path)).toString('utf8');
  } finally {
    closeFd(fd);
  }
}

/**
 * A file as an overlay of these layers, topmost first, would show it: found without mounting it, which costs a millisecond
 * of each start. A whiteout hides what lies below, an opaque directory what lies below of it.
 */
function readLayered(layers: readonly string[], path: string, links = 0): string | null {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  let open = layers.map((layer) => openAt(AT_FDCWD, bytes(layer), O_PATH | O_DIRECTORY));
  try {
    for (const [depth, name] of names.entries()) {
      const isLast = depth === names.length - 1;
      const next: number[] = [];
      try {
        for (const directory of open) {
          const stat = statAt(directory, bytes(name));
          if (stat === null) continue;
          if (isWhiteout(stat)) break;
          if (isDirectory(stat)) {
            const fd = openIfThere(directory, bytes(name), O_PATH | O_DIRECTORY | O_NOFOLLOW);
            if (fd !== null) next.push(fd);
            if (isOpaque(directory, name)) break;
            continue;
          }
          if (next.length > 0) break;
          if (fileType(stat) === S_IFLNK && links < MOST_LINKS) {
            const to = readlinkAt(directory, bytes(name)) as string;
            const parent = to.startsWith('/') ? '' : names.slice(0, depth).join('/');
            return readLayered(layers, clean(`${parent}/${to}/${names.slice(depth + 1).join('/')}`), links + 1);
          }
          if (!isLast) break;
          const fd = openIfThere(directory, bytes(name), O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
          return fd === null ? null : readRegular(fd, path);
        }
      } catch (error) {
        next.forEach(closeFd);
        throw error;
      }
      open.forEach(closeFd);
      open = next;
    }
    return null;
  } finally {
    open.forEach(closeFd);
  }
}

/** ".." by words, never above the root. */
function clean(path: string): string {
  const names: string[] = [];
  for (const name of path.split('/')) {
    if (name === '..') names.pop();
    else if (name !== '' && name !== '.') names.push(name);
  }
  return `/${names.join('/')}`;
}

function isOpaque(directory: number, name: string): boolean {
  return ['trusted.overlay.opaque', 'user.overlay.opaque'].some(
    (attribute) => getXattr(directory, bytes(name), bytes(attribute))?.toString() === 'y',
  );
}
