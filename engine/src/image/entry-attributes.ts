// Owner, extended attributes and permission bits of a file that was just made, by its descriptor, in the one order that
// keeps them all.
import { chmodFd, chmodPathFd, chownFd } from '../kernel/at.ts';
import { bytes, shown } from '../kernel/byte-string.ts';
import { setXattrFd } from '../kernel/xattr.ts';
import { SysError } from '../model/engine-error.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO, fileType, statOf } from '../kernel/stat.ts';
import { OVERLAY_XATTR } from './overlay-xattr.ts';
import type { EntryType, TarEntry } from './tar/reader.ts';

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Children of a directory inherit it, and an archive says what each of them has: it is set when all are there. */
const DEFAULT_ACL = bytes('system.posix_acl_default');

const NODES: Partial<Record<EntryType, number>> = {
  fifo: S_IFIFO,
  'character device': S_IFCHR,
  'block device': S_IFBLK,
};

/** What could not be set because this file system, or a user namespace, does not allow it is added to `skipped`. */
export function setAttributes(fd: number, entry: TarEntry, owner: Owner | undefined, skipped: string[]): void {
  const target = shown(entry.path);
  const { uid, gid } = owner ?? entry;
  // chown(2) takes away setuid bits and file capabilities: it comes first.
  chownFd(fd, uid, gid, target);
  for (const [attribute, value] of entry.xattrs) {
    // Overlay's own: whoever could set them would show himself files of other layers.
    if (OVERLAY_XATTR.test(attribute) || attribute === DEFAULT_ACL) continue;
    const errno = setXattrFd(fd, attribute, Buffer.from(value, 'latin1'), target);
    if (errno !== null) skipped.push(`${target}: ${shown(attribute)} (${errno})`);
  }
  const node = NODES[entry.type];
  if (entry.type === 'link') return;
  if (node === undefined) return chmodFd(fd, entry.mode, target);
  if (fileType(statOf(fd, target)) !== node)
    throw new SysError('chmod', 'EEXIST', target, 'another process put something else in its place');
  chmodPathFd(fd, entry.mode, target);
}

export function setDefaultAcl(directory: number, entry: TarEntry): void {
  const acl = entry.xattrs.find(([attribute]) => attribute === DEFAULT_ACL);
  if (acl !== undefined) setXattrFd(directory, DEFAULT_ACL, Buffer.from(acl[1], 'latin1'), shown(entry.path));
}
