// Mounts as steps: mount(2), and the newer calls that hold a tree of mounts by a descriptor before it is shown anywhere
// (open_tree, mount_setattr, move_mount). Pure.
import { call, type CallStep, type Slot, type Step, type Value } from '../model/launch-plan.ts';
import { AT_EMPTY_PATH, AT_FDCWD, freshSlot, O_CLOEXEC, O_DIRECTORY, O_PATH } from './steps.ts';

/** Mount flags: mount(2), linux/mount.h. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  SYNCHRONOUS: 16,
  REMOUNT: 32,
  MANDLOCK: 64,
  DIRSYNC: 128,
  NOSYMFOLLOW: 256,
  NOATIME: 1024,
  NODIRATIME: 2048,
  BIND: 4096,
  REC: 16384,
  SILENT: 32768,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
  RELATIME: 1 << 21,
  I_VERSION: 1 << 23,
  STRICTATIME: 1 << 24,
} as const;

/** Of mount_setattr(2) and fsmount(2). The times of access are a field of their own: they are set as a whole. */
export const MOUNT_ATTR = {
  RDONLY: 0x01n,
  NOSUID: 0x02n,
  NODEV: 0x04n,
  NOEXEC: 0x08n,
  ATIME: 0x70n,
  RELATIME: 0x00n,
  NOATIME: 0x10n,
  STRICTATIME: 0x20n,
  NODIRATIME: 0x80n,
  IDMAP: 0x0010_0000n,
  NOSYMFOLLOW: 0x0020_0000n,
} as const;

const READ_ONLY_DATA = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
const AT_RECURSIVE = 0x8000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const OPEN_TREE_CLONE_CLOEXEC = 1 | O_CLOEXEC;
const MOVE_MOUNT_EMPTY_PATHS = 0x04 | 0x40;
const MOVE_MOUNT_FROM_EMPTY_PATH = 0x04;
const MOVE_MOUNT_FOLLOW = 0x10;
/** openat2(2): never through a symlink, never above the directory it starts at. */
const RESOLVE_NO_SYMLINKS_BENEATH = 0x04n | 0x08n;

export function mount(
  source: string | null,
  target: Value,
  type: string | null,
  flags: number,
  data?: string,
  options: Pick<CallStep, 'purpose' | 'mayFail'> = {},
): CallStep {
  return call('mount', [source, target, type, flags, data ?? null], options);
}

type TreeOptions = { readonly recursive?: boolean } & Pick<CallStep, 'purpose' | 'mayFail'>;

/** A copy of the mount at a path, mounted nowhere yet, as the descriptor `tree`; with all below it when recursive. */
export function cloneTree(path: string, tree: Slot, { recursive = false, ...options }: TreeOptions = {}): CallStep {
  const flags = OPEN_TREE_CLONE_CLOEXEC | (recursive ? AT_RECURSIVE : 0);
  return call('open_tree', [AT_FDCWD, path, flags], { save: tree.slot, ...options });
}

/** The same of what a descriptor is open at, or of a mount at a path that must not be a link. */
export function cloneTreeAt(directory: Value, path: string, tree: Slot, options: TreeOptions = {}): CallStep {
  const { recursive = false, ...rest } = options;
  const follow = path === '' ? AT_EMPTY_PATH : AT_SYMLINK_NOFOLLOW;
  const flags = OPEN_TREE_CLONE_CLOEXEC | follow | (recursive ? AT_RECURSIVE : 0);
  return call('open_tree', [directory, path, flags], { save: tree.slot, ...rest });
}

/**
 * Shows a tree at a path. A link at the end of the path is followed only where that is asked for: without, the mount
 * covers the link itself.
 */
export function showTree(
  tree: Value,
  path: string,
  { follow = false, ...options }: { readonly follow?: boolean } & Pick<CallStep, 'purpose' | 'mayFail'> = {},
): CallStep {
  const flags = MOVE_MOUNT_FROM_EMPTY_PATH | (follow ? MOVE_MOUNT_FOLLOW : 0);
  return call('move_mount', [tree, '', AT_FDCWD, path, flags], options);
}

/** What mount_setattr(2) changes of a tree, or of the mount at a path. */
export interface TreeChange {
  readonly set?: bigint;
  readonly clear?: bigint;
  /** MS.PRIVATE, SLAVE, SHARED or UNBINDABLE. */
  readonly propagation?: number;
  readonly userns?: Value;
  readonly recursive?: boolean;
}

export function changeTree(
  tree: Value,
  change: TreeChange,
  options: Pick<CallStep, 'purpose' | 'mayFail'> & { readonly path?: string } = {},
): CallStep {
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd; 8 bytes each.
  const attr = new Uint8Array(32);
  const view = new DataView(attr.buffer);
  view.setBigUint64(0, change.set ?? 0n, true);
  view.setBigUint64(8, change.clear ?? 0n, true);
  view.setBigUint64(16, BigInt(change.propagation ?? 0), true);
  const patches = change.userns === undefined ? [] : [{ at: 24, value: change.userns }];
  const { path = '', ...rest } = options;
  const flags = (path === '' ? AT_EMPTY_PATH : 0) | (change.recursive === true ? AT_RECURSIVE : 0);
  return call('mount_setattr', [tree, path, flags, { struct: attr, patches }, attr.length], rest);
}

/** MOUNT_ATTR_IDMAP: the tree behind `tree` shows its owners as the user namespace `userns` maps them. Read-only with it. */
export function idmap(tree: Value, userns: Value): CallStep {
  return changeTree(tree, { set: MOUNT_ATTR.IDMAP | MOUNT_ATTR.RDONLY | MOUNT_ATTR.NODEV, userns });
}

/** openat2(2): an O_PATH descriptor of what is at a path, resolved as `resolve` (RESOLVE_*) says. */
export function openResolved(
  directory: Value,
  path: string,
  resolve: bigint,
  options: Pick<CallStep, 'save' | 'purpose' | 'mayFail'> & { readonly flags?: number } = {},
): CallStep {
  const { flags = O_PATH | O_DIRECTORY, ...rest } = options;
  const how = new Uint8Array(24);
  const view = new DataView(how.buffer);
  view.setBigUint64(0, BigInt(flags | O_CLOEXEC), true);
  view.setBigUint64(16, resolve, true);
  return call('openat2', [directory, path, { struct: how, patches: [] }, how.length], rest);
}

/**
 * Binds a host directory at `name` directly below the open directory `root`. What the learner may have put there is not
 * walked: a symlink makes the open fail, and the sandbox then starts without that mount.
 */
export function bindInto(source: string, root: Slot, name: string, options: { readOnly?: boolean } = {}): Step[] {
  const tree = freshSlot('tree');
  const target = freshSlot('target');
  return [
    cloneTree(source, tree),
    ...(options.readOnly ? [changeTree(tree, { set: READ_ONLY_DATA })] : []),
    openResolved(root, name, RESOLVE_NO_SYMLINKS_BENEATH, { save: target.slot, mayFail: true }),
    call('move_mount', [tree, '', target, '', MOVE_MOUNT_EMPTY_PATHS], { mayFail: true }),
  ];
}
