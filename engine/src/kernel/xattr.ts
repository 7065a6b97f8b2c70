// Extended attributes (xattr(7)) of a name in an open directory, a link's own included. The calls know only paths, so the
// directory is reached by its descriptor's link in /proc, and the name is not followed.
import { type ByteString, cString, fromBuffer, joined, shown } from './byte-string.ts';
import { SysError } from '../model/engine-error.ts';
import { bind, checked, lastErrno } from './libc.ts';

const cList = bind('long llistxattr(const void *path, void *list, size_t size)');
const cGet = bind('long lgetxattr(const void *path, const void *name, void *value, size_t size)');
const cSet = bind('int lsetxattr(const void *path, const void *name, const void *value, size_t size, int flags)');
const cSetFollowing = bind(
  'int setxattr(const char *path, const void *name, const void *value, size_t size, int flags)',
);
const cRemove = bind('int lremovexattr(const void *path, const void *name)');

/** XATTR_LIST_MAX and XATTR_SIZE_MAX of the kernel: nothing is longer. */
const LIMIT_BYTES = 65536;
const room = Buffer.alloc(LIMIT_BYTES);

const pathOf = (directory: number, name: ByteString): Buffer =>
  cString(joined(`/proc/self/fd/${directory}` as ByteString, name));

/** Names, sorted; none where the file system has no attributes. */
export function listXattrs(directory: number, name: ByteString): ByteString[] {
  const length = cList(pathOf(directory, name), room, room.length);
  if (length === 0) return [];
  if (length < 0 && ['ENOTSUP', 'ENOENT'].includes(lastErrno())) return [];
  checked('llistxattr', shown(name), length);
  return fromBuffer(room.subarray(0, length - 1))
    .split('\0')
    .sort() as ByteString[];
}

/** Null where there is none of that name. */
export function getXattr(directory: number, name: ByteString, attribute: ByteString): Buffer | null {
  const length = cGet(pathOf(directory, name), cString(attribute), room, room.length);
  if (length < 0 && ['ENODATA', 'ENOTSUP', 'ENOENT'].includes(lastErrno())) return null;
  return Buffer.from(room.subarray(0, checked('lgetxattr', `${shown(name)}: ${attribute}`, length)));
}

/** Null when it is set; otherwise the errno: EPERM and ENOTSUP are for the caller to judge, others throw. */
export function setXattr(directory: number, name: ByteString, attribute: ByteString, value: Uint8Array): string | null {
  return judged(cSet(pathOf(directory, name), cString(attribute), value, value.length, 0), shown(name), attribute);
}

/** Of what a descriptor stands for, one of O_PATH too: /proc's link leads to the inode itself. */
export function setXattrFd(fd: number, attribute: ByteString, value: Uint8Array, target: string): string | null {
  const path = `/proc/self/fd/${fd}`;
  return judged(cSetFollowing(path, cString(attribute), value, value.length, 0), target, attribute);
}

function judged(result: number, target: string, attribute: ByteString): string | null {
  if (result === 0) return null;
  const errno = lastErrno();
  if (errno === 'EPERM' || errno === 'ENOTSUP') return errno;
  throw new SysError('setxattr', errno, `${target}: ${shown(attribute)}`);
}

export function removeXattr(directory: number, name: ByteString, attribute: ByteString): void {
  const result = cRemove(pathOf(directory, name), cString(attribute));
  if (result < 0 && lastErrno() !== 'ENODATA') checked('lremovexattr', `${shown(name)}: ${shown(attribute)}`, result);
}
