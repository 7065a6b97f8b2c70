// Which pid namespace a mounted proc file system shows. Device numbers can't tell: since Linux 5.8 each mount of proc has
// its own super block. Its entry 1 is the init of the namespace it shows, so 1/ns/pid names it.
import { bindUnseen } from '../libc.ts';
import { parseNamespaceLink } from './namespace-link.ts';
import { statFd } from './read.ts';
import type { MountLine } from './mountinfo.ts';

const syscall6 = bindUnseen('long syscall(long, int, const char *, void *, size_t)');
const readlinkat = bindUnseen('intptr_t readlinkat(int, const char *, void *, size_t)');
const closeFd = bindUnseen('int close(int)');

// The same number on x86_64 and aarch64 (it is in the common range of numbers above 424).
const SYS_openat2 = 437;
const O_PATH = 0o10000000;
const O_CLOEXEC = 0o2000000;
const RESOLVE = { noXdev: 0x01, noMagiclinks: 0x02, noSymlinks: 0x04, beneath: 0x08, inRoot: 0x10, cached: 0x20 };

function openat2(directory: number, path: string, resolve: number): number {
  const how = Buffer.alloc(24);
  how.writeBigUInt64LE(BigInt(O_PATH | O_CLOEXEC), 0);
  how.writeBigUInt64LE(BigInt(resolve), 16);
  return syscall6(SYS_openat2, directory, path, how, 24);
}

const link = Buffer.alloc(64);

/**
 * Inode of the pid namespace that a proc mount shows, or null: hidden under another mount, a part of proc, or a dead
 * namespace. `rootFd`: O_PATH descriptor of the root of a process that sees the mount.
 *
 * The path is the learner's, and any directory on it may be served by his own FUSE server that never answers. So it is
 * walked with RESOLVE_CACHED (openat2(2)): only what the kernel has in memory, where every mount point is pinned, and never
 * waiting (EAGAIN). That the end is the very mount is proved by its id, before anything is looked up in it.
 */
export function pidNamespaceShown(rootFd: number, mount: MountLine): number | null {
  if (mount.type !== 'proc' || mount.root !== '/') return null;
  const { noMagiclinks, noSymlinks, inRoot, cached, noXdev, beneath } = RESOLVE;
  const top = openat2(rootFd, mount.mountPoint, noMagiclinks | noSymlinks | inRoot | cached);
  if (top < 0) return null;
  try {
    if (statFd(top)?.mountId !== mount.id) return null;
    // NO_XDEV: the learner may have mounted something over 1 or 1/ns.
    const namespaces = openat2(top, '1/ns', noMagiclinks | noSymlinks | beneath | noXdev);
    if (namespaces < 0) return null;
    const length = readlinkat(namespaces, 'pid', link, link.length);
    closeFd(namespaces);
    return length < 0 ? null : parseNamespaceLink(link.subarray(0, length));
  } finally {
    closeFd(top);
  }
}
