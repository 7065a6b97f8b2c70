// Steps that the sandbox's plans are made of: short names for groups of system calls. Pure.
import { call, type CallStep, type Slot, type Step, slot, type Value } from '../model/launch-plan.ts';
import { RLIMIT, type Rlimit, rlimitBytes } from '../model/rlimits.ts';

export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NOCTTY = 0o400;
export const O_NONBLOCK = 0o4000;
export const O_DIRECTORY = 0o200000;
export const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;
export const OPEN_TREE_CLONE_CLOEXEC = 1 | O_CLOEXEC;

/** Mount flags: mount(2), linux/mount.h. */
export const MS = {
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  NOATIME: 1024,
  BIND: 4096,
  REC: 16384,
  PRIVATE: 1 << 18,
} as const;

const MOUNT_ATTR = { RDONLY: 1n, NOSUID: 2n, NODEV: 4n, NOEXEC: 8n, IDMAP: 0x0010_0000n } as const;
const READ_ONLY_DATA = MOUNT_ATTR.RDONLY | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
const MOVE_MOUNT_EMPTY_PATHS = 0x04 | 0x40;
/** openat2(2): never through a symlink, never above the directory it starts at. */
const RESOLVE_NO_SYMLINKS_BENEATH = 0x04n | 0x08n;

export function mount(
  source: string | null,
  target: Value,
  type: string | null,
  flags: number,
  data?: string,
): CallStep {
  return call('mount', [source, target, type, flags, data ?? null]);
}

export function makeDirectory(path: string, mode = 0o755): CallStep {
  return call('mkdirat', [AT_FDCWD, path, mode]);
}

/** Owner and group of a path, not through a symlink. */
export function chownRoot(path: string, id: number): Step[] {
  return [call('fchownat', [AT_FDCWD, path, id, id, 0x100])];
}

/** open, write, close: for files of proc and cgroup, which take the whole text in one write. */
export function writeFile(path: Value, content: string): Step[] {
  const file = freshSlot('file');
  return [
    call('openat', [AT_FDCWD, path, O_WRONLY | O_CLOEXEC], { save: file.slot }),
    call('write', [file, content, Buffer.byteLength(content)]),
    call('close', [file]),
  ];
}

/** A new file with this content; fails when something is there already. */
export function createFile(path: string, content: string): Step[] {
  const file = freshSlot('file');
  return [
    call('openat', [AT_FDCWD, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644], { save: file.slot }),
    call('write', [file, content, Buffer.byteLength(content)]),
    call('close', [file]),
  ];
}

/** All three user ids and all three group ids, and no supplementary group. */
export function setIds(id: number): Step[] {
  return [call('setgroups', [0, null]), call('setresgid', [id, id, id]), call('setresuid', [id, id, id])];
}

export interface Groups {
  readonly open: Step[];
  readonly join: Step[];
}

/**
 * Joining cgroups: the files are opened as root while they can be reached, and written to by whoever joins. A process that
 * writes "0" moves itself: no wait for RCU, as moving another process by its pid costs.
 */
export function groups(name: string, files: readonly string[]): Groups {
  const slots = files.map((_, index) => slot(`${name}-group-${index}`));
  return {
    open: files.map((file, index) =>
      call('openat', [AT_FDCWD, file, O_WRONLY | O_CLOEXEC], { save: slots[index]?.slot ?? '' }),
    ),
    join: slots.map((file) => call('write', [file, '0', 1])),
  };
}

/** MOUNT_ATTR_IDMAP: the tree behind `tree` shows its owners as the user namespace `userns` maps them. Read-only with it. */
export function idmap(tree: Value, userns: Value): CallStep {
  return mountSetattr(tree, MOUNT_ATTR.IDMAP | MOUNT_ATTR.RDONLY | MOUNT_ATTR.NODEV, userns);
}

function mountSetattr(tree: Value, set: bigint, userns: Value | null): CallStep {
  // struct mount_attr: attr_set, attr_clr, propagation, userns_fd; 8 bytes each.
  const attr = new Uint8Array(32);
  new DataView(attr.buffer).setBigUint64(0, set, true);
  const patches = userns === null ? [] : [{ at: 24, value: userns }];
  return call('mount_setattr', [tree, '', AT_EMPTY_PATH, { struct: attr, patches }, attr.length]);
}

/**
 * Binds a host directory at `name` directly below the open directory `root`. What the learner may have put there is not
 * walked: a symlink makes the open fail, and the sandbox then starts without that mount.
 */
export function bindInto(source: string, root: Slot, name: string, options: { readOnly?: boolean } = {}): Step[] {
  const tree = freshSlot('tree');
  const target = freshSlot('target');
  const how = new Uint8Array(24);
  const view = new DataView(how.buffer);
  view.setBigUint64(0, BigInt(O_PATH | O_DIRECTORY | O_CLOEXEC), true);
  view.setBigUint64(16, RESOLVE_NO_SYMLINKS_BENEATH, true);
  return [
    call('open_tree', [AT_FDCWD, source, OPEN_TREE_CLONE_CLOEXEC], { save: tree.slot }),
    ...(options.readOnly ? [mountSetattr(tree, READ_ONLY_DATA, null)] : []),
    call('openat2', [root, name, { struct: how, patches: [] }, how.length], { save: target.slot, mayFail: true }),
    call('move_mount', [tree, '', target, '', MOVE_MOUNT_EMPTY_PATHS], { mayFail: true }),
  ];
}

/** prlimit64(2) on the process itself. Raising a hard limit needs CAP_SYS_RESOURCE: `withinHard` asks for no more than is there. */
export function setRlimits(limits: readonly Rlimit[]): Step[] {
  return limits.map((limit) => call('prlimit64', [0, RLIMIT[limit.name], { bytes: rlimitBytes(limit) }, null]));
}

/** prctl(PR_SET_SECCOMP): needs CAP_SYS_ADMIN in the user namespace, or no_new_privs, which would break su and ping. */
export function setSeccomp(filter: Uint8Array): Step[] {
  const program = new Uint8Array(16);
  new DataView(program.buffer).setUint16(0, filter.length / 8, true);
  return [call('seccomp', [1, 0, { struct: program, patches: [{ at: 8, value: { bytes: filter } }] }])];
}

let counter = 0;
/** A slot name nobody else in the process uses; plans stay comparable because names don't reach the kernel. */
export function freshSlot(what: string): Slot {
  counter += 1;
  return slot(`${what}-${counter}`);
}
