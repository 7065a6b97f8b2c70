// Steps that launch plans are made of, a container's and a sandbox's alike: short names for groups of system calls. Pure.
import { call, type CallStep, type Slot, type Step, slot, type Value } from '../model/launch-plan.ts';
import { AT_FDCWD, O_CLOEXEC, O_CREAT, O_EXCL, O_WRONLY } from '../model/open-flags.ts';
import { RLIMIT, type Rlimit, rlimitBytes } from '../model/rlimits.ts';

export * from '../model/open-flags.ts';

export const AT_EMPTY_PATH = 0x1000;

export function makeDirectory(path: string, mode = 0o755): CallStep {
  return call('mkdirat', [AT_FDCWD, path, mode]);
}

/** `mkdir -p`: what is there already stays as it is. */
export function makeDirectories(path: string, mode = 0o755): Step[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  return names.map((_, index) => {
    const directory = `${path.startsWith('/') ? '/' : ''}${names.slice(0, index + 1).join('/')}`;
    return call('mkdirat', [AT_FDCWD, directory, mode], { mayFail: ['EEXIST'] });
  });
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

const READ_BYTES = 64;

/** The first bytes of a short file, into the room `room`. */
export function readFile(path: string, room: string): Step[] {
  const file = freshSlot('file');
  return [
    call('openat', [AT_FDCWD, path, O_CLOEXEC], { save: file.slot }),
    call('read', [file, { room: READ_BYTES, name: room }, READ_BYTES]),
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
