// Mounts that hang nowhere: only a descriptor leads to them, and closing it is all the clean-up (fsopen(2), fsmount(2),
// open_tree(2)). Nobody else on the host sees them, and a daemon that dies leaves none.
import { mkdtempSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { SysError } from '../model/engine-error.ts';
import { AT_FDCWD, O_CLOEXEC, O_DIRECTORY, O_PATH, closeFd, openAt, readUpTo, withFd } from './at.ts';
import { bytes } from './byte-string.ts';
import { bind, checked, lastErrno } from './libc.ts';

const fsopen = bind('long syscall(long number, const char *type, unsigned int flags)');
const fsconfig = bind(
  'long syscall(long number, int fd, unsigned int command, const char *key, const char *value, int aux)',
);
const fsmount = bind('long syscall(long number, int fd, unsigned int flags, unsigned int attributes)');
const openTree = bind('long syscall(long number, int directory, const char *path, unsigned int flags)');
const moveMount = bind(
  'long syscall(long number, int from, const char *path, int to, const char *toPath, unsigned int flags)',
);
const setAttributes = bind(
  'long syscall(long number, int fd, const char *path, unsigned int flags, const void *attributes, size_t size)',
);
const cMount = bind(
  'int mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)',
);
const cUmount = bind('int umount2(const char *target, int flags)');

// The same numbers on every architecture.
const SYS = { open_tree: 428, move_mount: 429, fsopen: 430, fsconfig: 431, fsmount: 432, mount_setattr: 442 } as const;
const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const SET_FLAG = 0;
const SET_STRING = 1;
const CMD_CREATE = 6;
const OPEN_TREE_CLONE = 1;
const AT_EMPTY_PATH = 0x1000;
const AT_RECURSIVE = 0x8000;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOVE_MOUNT_T_EMPTY_PATH = 0x40;
const MNT_DETACH = 2;
const MOUNT_ATTR_RDONLY = 1n;
const MS_PRIVATE = 1n << 18n;

export interface Overlay {
  /** Topmost first. */
  readonly lower: readonly string[];
  readonly writable?: { readonly upper: string; readonly work: string };
  /** "key=value" or "flag". */
  readonly options: readonly string[];
}

/** What the file system itself said of a failure, read from its context (fsopen(2) calls it the log). */
function said(context: number): string | undefined {
  try {
    const room = Buffer.alloc(1024);
    return (
      room
        .toString('utf8', 0, readUpTo(context, room, 0, 'overlay'))
        .replace(/^[ewi] /, '')
        .trim() || undefined
    );
  } catch {
    return undefined; // ENODATA: nothing
  }
}

/** A descriptor of the overlay's root directory. */
export function mountOverlay(overlay: Overlay, scratch: string): number {
  const context = checked('fsopen', 'overlay', fsopen(SYS.fsopen, 'overlay', FSOPEN_CLOEXEC));
  return withFd(context, () => {
    const set = (command: number, key: string | null, value: string | null) => {
      if (fsconfig(SYS.fsconfig, context, command, key, value, 0) === 0) return true;
      const errno = lastErrno();
      if (key === 'lowerdir+' && errno === 'EINVAL') return false;
      throw new SysError('fsconfig', errno, `overlay ${key ?? 'create'}=${value ?? ''}`, said(context));
    };
    // Linux 6.7 takes lower directories one by one. Before, a value had at most 255 bytes here.
    for (const directory of overlay.lower)
      if (!set(SET_STRING, 'lowerdir+', directory)) return mountOverlayForAMoment(overlay, scratch);
    if (overlay.writable !== undefined) {
      set(SET_STRING, 'upperdir', overlay.writable.upper);
      set(SET_STRING, 'workdir', overlay.writable.work);
    }
    for (const option of overlay.options) {
      const [key, value] = option.split('=', 2) as [string, string?];
      set(value === undefined ? SET_FLAG : SET_STRING, key, value ?? null);
    }
    set(CMD_CREATE, null, null);
    return checked('fsmount', 'overlay', fsmount(SYS.fsmount, context, FSMOUNT_CLOEXEC, 0));
  });
}

/**
 * For kernels before 6.7: mounted at a place, copied away from there and unmounted at once. mount(2) takes one page of
 * options: /proc/self/fd/N in place of each path leaves room for some two hundred layers.
 */
export function mountOverlayForAMoment(overlay: Overlay, scratch: string): number {
  const lower = overlay.lower.map((path) => openAt(AT_FDCWD, bytes(path), O_PATH | O_DIRECTORY));
  const place = mkdtempSync(join(scratch, 'mount-'));
  try {
    const { writable } = overlay;
    const data = [
      `lowerdir=${lower.map((fd) => `/proc/self/fd/${fd}`).join(':')}`,
      ...(writable === undefined ? [] : [`upperdir=${escaped(writable.upper)}`, `workdir=${escaped(writable.work)}`]),
      ...overlay.options,
    ].join(',');
    checked(
      'mount',
      'overlay',
      cMount('overlay', place, 'overlay', 0, data),
      `its options are ${data.length} bytes of at most 4095`,
    );
    try {
      return cloneMount(place);
    } finally {
      cUmount(place, MNT_DETACH);
    }
  } finally {
    rmdirSync(place);
    for (const fd of lower) closeFd(fd);
  }
}

/** overlayfs splits its options at commas and the layers at colons; a backslash takes such a character as it is. */
export const escaped = (path: string): string => path.replaceAll(/[\\,:]/g, String.raw`\$&`);

/** A copy of the mount at a host path, with what is mounted below it where asked. It may be a single file. */
export function cloneMount(path: string, recursive = false): number {
  const flags = OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  return checked('open_tree', path, openTree(SYS.open_tree, AT_FDCWD, path, flags));
}

/** Of a detached tree: nobody writes through it. */
export function makeReadOnly(tree: number, target: string): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(MOUNT_ATTR_RDONLY, 0);
  const flags = AT_EMPTY_PATH | AT_RECURSIVE;
  checked('mount_setattr', target, setAttributes(SYS.mount_setattr, tree, '', flags, attributes, attributes.length));
}

/** What is mounted later at its origin does not show in a tree that was cloned, and the other way round. */
export function makePrivate(tree: number, target: string): void {
  const attributes = Buffer.alloc(32);
  attributes.writeBigUInt64LE(MS_PRIVATE, 16);
  const flags = AT_EMPTY_PATH | AT_RECURSIVE;
  checked('mount_setattr', target, setAttributes(SYS.mount_setattr, tree, '', flags, attributes, attributes.length));
}

/**
 * Puts a detached tree over a place (a descriptor, O_PATH will do). False where the place lies in a detached tree itself and
 * the kernel is older than 6.15, which refuses that.
 */
export function attach(tree: number, place: number, target: string): boolean {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (moveMount(SYS.move_mount, tree, '', place, '', flags) === 0) return true;
  const errno = lastErrno();
  if (errno === 'EINVAL') return false;
  throw new SysError('move_mount', errno, target);
}

/**
 * Attaches a detached tree at a fresh place of the host for as long as `action` takes, and gives back a detached copy of it
 * with all that was mounted in it by then. The tree itself is gone after.
 */
export function attachedForAMoment(tree: number, scratch: string, action: () => void): number {
  const place = mkdtempSync(join(scratch, 'mount-'));
  try {
    const attached = withFd(openAt(AT_FDCWD, bytes(place), O_PATH | O_DIRECTORY), (fd) => attach(tree, fd, place));
    if (!attached) throw new SysError('move_mount', 'EINVAL', place);
    try {
      // Where the host's mounts are shared, so is this one now: what comes next is nobody else's.
      makePrivate(tree, place);
      action();
      return cloneMount(place, true);
    } finally {
      cUmount(place, MNT_DETACH);
    }
  } finally {
    rmdirSync(place);
  }
}
