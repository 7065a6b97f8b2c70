// System calls on a name in a directory that is open (openat(2) and its kind), and on descriptors. No path of more than
// one component is ever walked here, but for `openInRoot`. Failures throw SysError with the name.
import { type ByteString, cString, fromBuffer, shown } from './byte-string.ts';
import { bind, checked, lastErrno } from './libc.ts';
import { O_CLOEXEC } from '../model/open-flags.ts';
import type { Time } from './stat.ts';

export * from '../model/open-flags.ts';

const AT_EMPTY_PATH = 0x1000;
const AT_REMOVEDIR = 0x200;
const AT_SYMLINK_NOFOLLOW = 0x100;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const SYS_OPENAT2 = 437; // the same number on every architecture
const AGAIN = 32;

const cOpenat = bind('int openat(int directory, const void *name, int flags, unsigned int mode)');
const cOpenat2 = bind('long syscall(long number, int directory, const void *path, const void *how, size_t size)');
const cClose = bind('int close(int fd)');
const cMkdirat = bind('int mkdirat(int directory, const void *name, unsigned int mode)');
const cMknodat = bind('int mknodat(int directory, const void *name, unsigned int mode, uint64_t device)');
const cSymlinkat = bind('int symlinkat(const void *target, int directory, const void *name)');
const cLinkat = bind('int linkat(int from, const void *fromName, int to, const void *toName, int flags)');
const cUnlinkat = bind('int unlinkat(int directory, const void *name, int flags)');
const cRenameat = bind('int renameat(int from, const void *fromName, int to, const void *toName)');
const cReadlinkat = bind('long readlinkat(int directory, const void *name, void *buffer, size_t size)');
const cFchownat = bind('int fchownat(int directory, const void *name, unsigned int uid, unsigned int gid, int flags)');
const cChmod = bind('int chmod(const char *path, unsigned int mode)');
const cFchmod = bind('int fchmod(int fd, unsigned int mode)');
const cUtimensat = bind('int utimensat(int directory, const void *name, const void *times, int flags)');
const cWrite = bind('long pwrite(int fd, const void *bytes, size_t size, int64_t at)');
const cRead = bind('long pread(int fd, void *bytes, size_t size, int64_t at)');
const cFtruncate = bind('int ftruncate(int fd, int64_t size)');

const EMPTY = Buffer.from('\0');

/** Opens one name; O_CLOEXEC is added. Give O_NOFOLLOW unless a link at the end is meant to be followed. */
export function openAt(directory: number, name: ByteString, flags: number, mode = 0): number {
  return checked('openat', shown(name), cOpenat(directory, cString(name), flags | O_CLOEXEC, mode));
}

/** Like `openAt`; null when there is nothing, or something of another type than the flags ask for. */
export function openIfThere(directory: number, name: ByteString, flags: number): number | null {
  const fd = cOpenat(directory, cString(name), flags | O_CLOEXEC, 0);
  if (fd >= 0) return fd;
  const errno = lastErrno();
  // ELOOP: O_NOFOLLOW met a link. ENXIO: O_NONBLOCK met a fifo without reader, or a socket.
  if (['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO'].includes(errno)) return null;
  return checked('openat', shown(name), -1);
}

const how = Buffer.alloc(24);

/**
 * Walks a whole path below a directory as if that were the root: absolute links and ".." stay inside, links of /proc that
 * lead to open files of others are refused with ELOOP (openat2(2), RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS).
 */
export function openInRoot(root: number, path: ByteString, flags: number, mode = 0): number {
  how.writeUInt32LE((flags | O_CLOEXEC) >>> 0, 0);
  how.writeBigUInt64LE(BigInt(mode), 8);
  how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
  const name = cString(path === '' ? ('.' as ByteString) : path);
  for (let attempt = 1; ; attempt += 1) {
    const fd = cOpenat2(SYS_OPENAT2, root, name, how, how.length);
    // EAGAIN: a rename or mount raced with a "..", so the kernel could not tell whether it stayed inside; ask again.
    if (fd >= 0 || attempt === AGAIN || lastErrno() !== 'EAGAIN') return checked('openat2', shown(path), fd);
  }
}

export function closeFd(fd: number): void {
  cClose(fd);
}

/** Runs with a descriptor and closes it, however that ends. */
export function withFd<T>(fd: number, action: (fd: number) => T): T {
  try {
    return action(fd);
  } finally {
    cClose(fd);
  }
}

/** Throws SysError; use `isErrno(error, 'EEXIST')`. Permission bits are cut by the process's umask: set them after. */
export function mkdirAt(directory: number, name: ByteString, mode: number): void {
  checked('mkdirat', shown(name), cMkdirat(directory, cString(name), mode));
}

/** glibc's dev_t (makedev(3)) has room for 32 bits of each number; mknod(2) takes 12 and 20 of them. */
export function mknodAt(directory: number, name: ByteString, mode: number, major = 0, minor = 0): void {
  const [high, low] = [BigInt(major), BigInt(minor)];
  const device = (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low >> 8n) << 20n) | ((high >> 12n) << 44n);
  checked('mknodat', shown(name), cMknodat(directory, cString(name), mode, device));
}

export function symlinkAt(target: ByteString, directory: number, name: ByteString): void {
  checked('symlinkat', shown(name), cSymlinkat(cString(target), directory, cString(name)));
}

/** A second name of the file itself: where `fromName` is a link, of the link. */
export function linkAt(from: number, fromName: ByteString, to: number, toName: ByteString): void {
  checked('linkat', shown(toName), cLinkat(from, cString(fromName), to, cString(toName), 0));
}

/** False when there was nothing. */
export function unlinkAt(directory: number, name: ByteString, isDirectory = false): boolean {
  if (cUnlinkat(directory, cString(name), isDirectory ? AT_REMOVEDIR : 0) === 0) return true;
  if (lastErrno() === 'ENOENT') return false;
  checked('unlinkat', shown(name), -1);
  return false;
}

export function renameAt(from: number, fromName: ByteString, to: number, toName: ByteString): void {
  checked('renameat', shown(toName), cRenameat(from, cString(fromName), to, cString(toName)));
}

const linkRoom = Buffer.alloc(4096);

/** The target of a link, as it is written. An empty name reads a link opened with O_PATH | O_NOFOLLOW. */
export function readlinkAt(directory: number, name: ByteString): ByteString {
  const length = cReadlinkat(directory, cString(name), linkRoom, linkRoom.length);
  return fromBuffer(linkRoom.subarray(0, checked('readlinkat', shown(name), length)));
}

/** Owner of what a descriptor stands for; O_PATH will do. Clears setuid bits: set the mode after it (chown(2)). */
export function chownFd(fd: number, uid: number, gid: number, target: string): void {
  checked('fchownat', target, cFchownat(fd, EMPTY, uid, gid, AT_EMPTY_PATH), ownerHint(uid, gid));
}

const ownerHint = (uid: number, gid: number) => `owner ${uid}:${gid}; EINVAL: not mapped in this user namespace`;

export function chownAt(directory: number, name: ByteString, uid: number, gid: number): void {
  const result = cFchownat(directory, cString(name), uid, gid, AT_SYMLINK_NOFOLLOW);
  checked('fchownat', shown(name), result, ownerHint(uid, gid));
}

/** Permission bits of a descriptor that is open for reading or writing. */
export function chmodFd(fd: number, mode: number, target: string): void {
  checked('fchmod', target, cFchmod(fd, mode));
}

/** Permission bits by an O_PATH descriptor, which fchmod(2) refuses: the link in /proc leads to the inode itself. */
export function chmodPathFd(fd: number, mode: number, target: string): void {
  checked('chmod', target, cChmod(`/proc/self/fd/${fd}`, mode));
}

const times = Buffer.alloc(32);
function fillTimes(atime: Time, mtime: Time): Buffer {
  for (const [at, time] of [
    [0, atime],
    [16, mtime],
  ] as const) {
    times.writeBigInt64LE(BigInt(time.sec), at);
    times.writeUInt32LE(time.nsec, at + 8);
  }
  return times;
}

/** Times of a name itself, links not followed. */
export function utimensAt(directory: number, name: ByteString, atime: Time, mtime: Time): void {
  const result = cUtimensat(directory, cString(name), fillTimes(atime, mtime), AT_SYMLINK_NOFOLLOW);
  checked('utimensat', shown(name), result);
}

/** Times of what a descriptor stands for. With AT_EMPTY_PATH (Linux 5.8) O_PATH will do. */
export function utimensFd(fd: number, atime: Time, mtime: Time, target: string): void {
  checked('utimensat', target, cUtimensat(fd, EMPTY, fillTimes(atime, mtime), AT_EMPTY_PATH));
}

/** Writes all of it. */
export function writeAll(fd: number, data: Uint8Array, at: number, target: string): void {
  for (let done = 0; done < data.length;) {
    const rest = done === 0 ? data : data.subarray(done);
    done += checked('write', target, cWrite(fd, rest, rest.length, at + done));
  }
}

/** Reads up to the size of the buffer; fewer bytes only at the end of the file. */
export function readUpTo(fd: number, buffer: Uint8Array, at: number, target: string): number {
  let done = 0;
  while (done < buffer.length) {
    const rest = done === 0 ? buffer : buffer.subarray(done);
    const count = checked('read', target, cRead(fd, rest, rest.length, at + done));
    if (count === 0) break;
    done += count;
  }
  return done;
}

export function truncateFd(fd: number, size: number, target: string): void {
  checked('ftruncate', target, cFtruncate(fd, size));
}
