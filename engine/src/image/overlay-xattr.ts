// The extended attributes in which overlay keeps what a layer is (Documentation/filesystems/overlayfs.rst). They are set by
// the engine, never by an archive, and never leave in one.
import { type ByteString, bytes } from '../kernel/byte-string.ts';
import { getXattr, setXattr } from '../kernel/xattr.ts';
import { SysError } from '../model/engine-error.ts';

export const OVERLAY_XATTR = /^(trusted|user)\.overlay\./;

const OPAQUE = ['trusted.overlay.opaque', 'user.overlay.opaque'].map((name) => bytes(name));
const YES = Buffer.from('y');

/** Hides what the lower layers have in this directory. Both attributes: an overlay that learners mount in a user namespace
 * (`userxattr`) reads the second only. One is enough: a user namespace can't set the first, nor old tmpfs the second. */
export function setOpaque(directory: number, name: ByteString): void {
  const errnos = OPAQUE.map((attribute) => setXattr(directory, name, attribute, YES));
  if (errnos.every((errno) => errno !== null))
    throw new SysError(
      'setxattr',
      errnos[0] as string,
      'overlay.opaque',
      'this file system can hold no layers; use --storage-driver vfs',
    );
}

export function isOpaque(directory: number, name: ByteString): boolean {
  return OPAQUE.some((attribute) => getXattr(directory, name, attribute)?.toString() === 'y');
}
