// Files below a root that others may write to: each path is walked by the kernel as if that directory were "/", so links
// and ".." stay inside and no race of a living process leads out (openat2(2), RESOLVE_IN_ROOT).
import { SysError, isErrno } from '../model/engine-error.ts';
import {
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_PATH,
  O_RDONLY,
  O_WRONLY,
  chmodFd,
  chownFd,
  closeFd,
  mkdirAt,
  openAt,
  openInRoot,
  readUpTo,
  readlinkAt,
  truncateFd,
  withFd,
  writeAll,
} from './at.ts';
import { type ByteString, bytes, shown, splitPath } from './byte-string.ts';
import { type DirectoryEntry, readDirectory } from './directory.ts';
import { S_IFREG, type Stat, fileType, isDirectory, statAt, statOf } from './stat.ts';

const MAX_LINKS = 40;

/** All paths are taken from the root, with or without a slash before them. */
export class Rooted {
  readonly fd: number;

  /** Takes the descriptor over: `close` closes it. */
  constructor(fd: number) {
    this.fd = fd;
  }

  /** A host directory as the root; the path itself is the host's, and walked as usual. */
  static at(hostPath: string): Rooted {
    return new Rooted(openAt(-100, bytes(hostPath), O_PATH | O_DIRECTORY));
  }

  /** The root of a process, with all that is mounted in it, for as long as this is open. */
  static ofProcess(pid: number): Rooted {
    return Rooted.at(`/proc/${pid}/root`);
  }

  close(): void {
    closeFd(this.fd);
  }

  /** A descriptor of what the path leads to. The caller closes it. */
  open(path: ByteString, flags: number, mode = 0): number {
    return openInRoot(this.fd, path, flags, mode);
  }

  /** Runs with the directory that holds the path's last component (a descriptor for *at calls), and that component. */
  inParent<T>(path: ByteString, action: (directory: number, name: ByteString) => T): T {
    const { directory, name } = splitPath(withoutSlashes(path));
    // ".." must never reach an *at call: of the root it would be the host's directory above it.
    const whole = name === '' || name === '..';
    const fd = this.open(whole ? path : directory, O_PATH | O_DIRECTORY);
    return withFd(fd, () => action(fd, whole ? bytes('.') : name));
  }

  /** Of what the path leads to, links followed; null when there is nothing. */
  stat(path: ByteString): Stat | null {
    return nullIfNothing(() => withFd(this.open(path, O_PATH), (fd) => statOf(fd, shown(path))));
  }

  /** Of the path itself; null when there is nothing. */
  lstat(path: ByteString): Stat | null {
    return nullIfNothing(() => this.inParent(path, statAt));
  }

  readlink(path: ByteString): ByteString {
    return this.inParent(path, readlinkAt);
  }

  readdir(path: ByteString): DirectoryEntry[] {
    return withFd(this.open(path, O_RDONLY | O_DIRECTORY), (fd) => readDirectory(fd, shown(path)));
  }

  /** Content of a regular file. Null when there is none, or something else is there. Throws SysError EFBIG beyond `limitBytes`. */
  readFile(path: ByteString, limitBytes = 1 << 20): Buffer | null {
    return nullIfNothing(() =>
      withFd(this.open(path, O_PATH), (pathFd) => {
        // By O_PATH first: opening a device or a fifo does things, or waits.
        const stat = statOf(pathFd, shown(path));
        if (fileType(stat) !== S_IFREG) return null;
        if (stat.size > limitBytes) throw new SysError('read', 'EFBIG', shown(path), `more than ${limitBytes} bytes`);
        return withFd(reopened(pathFd, O_RDONLY | O_NONBLOCK), (fd) => {
          const content = Buffer.alloc(limitBytes < 65536 ? limitBytes : Math.max(stat.size, 65536));
          return content.subarray(0, readUpTo(fd, content, 0, shown(path)));
        });
      }),
    );
  }

  /** Writes a regular file, new or in place; a link at the end is followed, inside. */
  writeFile(path: ByteString, content: Uint8Array, mode = 0o644): void {
    const target = shown(path);
    const fresh = () => this.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    let fd: number;
    try {
      fd = fresh();
      chmodFd(fd, mode, target);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
      fd = withFd(this.open(path, O_PATH), (pathFd) => {
        if (fileType(statOf(pathFd, target)) !== S_IFREG)
          throw new SysError('open', 'EINVAL', target, 'it is not a regular file');
        return reopened(pathFd, O_WRONLY);
      });
    }
    withFd(fd, () => {
      truncateFd(fd, 0, target);
      writeAll(fd, content, 0, target);
    });
  }

  /** A directory and those above it, as far as they lack; those made get this mode and owner. Returns whether it made the last. */
  mkdirs(path: ByteString, mode = 0o755, uid = 0, gid = 0): boolean {
    const found = this.stat(path);
    if (found !== null && isDirectory(found)) return false;
    const { directory, name } = splitPath(withoutSlashes(path));
    if (name === '') return false;
    this.mkdirs(directory, mode, uid, gid);
    if (name === '..') return false;
    return this.inParent(path, (parent) => {
      mkdirAt(parent, name, mode);
      withFd(openAt(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), (fd) => {
        chownFd(fd, uid, gid, shown(path));
        chmodFd(fd, mode, shown(path));
      });
      return true;
    });
  }

  /**
   * Where the path leads, as an absolute path inside without links: the last component too, unless `lastLink` is "kept".
   * Components that do not exist stay as they are. For telling people; never open what it returns in another way than through this class.
   */
  resolve(path: ByteString, lastLink: 'kept' | 'followed' = 'followed'): ByteString {
    const todo = components(path);
    const done: string[] = [];
    for (let links = 0; ;) {
      const name = todo.shift();
      if (name === undefined) return `/${done.join('/')}` as ByteString;
      if (name === '..') {
        done.pop();
        continue;
      }
      const here = `/${[...done, name].join('/')}` as ByteString;
      const stat = todo.length === 0 && lastLink === 'kept' ? null : this.lstat(here);
      if (stat === null || (stat.mode & 0o170000) !== 0o120000) {
        done.push(name);
        continue;
      }
      if ((links += 1) > MAX_LINKS) throw new SysError('resolve', 'ELOOP', shown(path), 'too many links');
      const target = this.readlink(here);
      if (target.startsWith('/')) done.length = 0;
      todo.unshift(...components(target));
    }
  }
}

/** Opens once more what an O_PATH descriptor stands for. */
export function reopened(pathFd: number, flags: number): number {
  return openAt(-100, bytes(`/proc/self/fd/${pathFd}`), flags);
}

const components = (path: ByteString): string[] => path.split('/').filter((part) => part !== '' && part !== '.');

const withoutSlashes = (path: ByteString): ByteString => components(path).join('/') as ByteString;

function nullIfNothing<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return null;
    throw error;
  }
}
