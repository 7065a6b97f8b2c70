// The launch program in memory: a sealed memfd that every keeper is executed from, so that nothing a container does
// can change it (CVE-2019-5736), and posix_spawn(3) of it with exactly the descriptors it is to have.
import { closeSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError, SysError } from '../model/engine-error.ts';
import { bind, bindUnseen, checked, errnoName } from './libc.ts';

const memfdCreate = bind('int memfd_create(const char *name, unsigned int flags)');
const fcntl = bind('int fcntl(int fd, int command, long argument)');
const posixSpawn = bind(
  'int posix_spawn(_Out_ int *pid, const char *path, void *actions, void *attributes, const char **argv, const char **envp)',
);
const actionsInit = bindUnseen('int posix_spawn_file_actions_init(void *actions)');
const actionsDestroy = bindUnseen('int posix_spawn_file_actions_destroy(void *actions)');
const addDup2 = bindUnseen('int posix_spawn_file_actions_adddup2(void *actions, int fd, int newfd)');
const addOpen = bindUnseen(
  'int posix_spawn_file_actions_addopen(void *actions, int fd, const char *path, int flags, int mode)',
);

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_EXEC = 0x10;
const F_DUPFD_CLOEXEC = 1030;
const F_ADD_SEALS = 1033;
/** F_SEAL_SEAL, SHRINK, GROW, WRITE: fcntl(2), "File sealing". */
const ALL_SEALS = 0xf;
const O_RDWR = 2;
/** Larger than posix_spawn_file_actions_t of glibc (80 bytes) and musl. */
const ACTIONS_BYTES = 256;

/** Where the build puts the program; DRYDOCK_LAUNCH names another. */
export function launchPath(): string {
  return process.env['DRYDOCK_LAUNCH'] ?? join(import.meta.dirname, '../../../build/launch');
}

/** A memfd with a name for /proc/PID/fd, close-on-exec. */
export function memfd(name: string, flags = 0): number {
  return checked('memfd_create', name, memfdCreate(name, MFD_CLOEXEC | flags));
}

/** The same file under a number that is at least `least`, close-on-exec. */
function duplicateAbove(fd: number, least: number): number {
  return checked('fcntl', `descriptor ${fd}`, fcntl(fd, F_DUPFD_CLOEXEC, least));
}

let program: number | null = null;

function load(): number {
  if (program !== null) return program;
  const path = launchPath();
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new EngineError('unavailable', `Cannot load "${path}": it is not there; compile it (npm start does)`, {
      cause,
    });
  }
  // MFD_EXEC is needed where vm.memfd_noexec=1 and unknown to kernels before 6.3 (EINVAL).
  let fd = memfdCreate('drydock-launch', MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
  if (fd < 0) fd = memfd('drydock-launch', MFD_ALLOW_SEALING);
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
  checked('fcntl', 'seals of launch', fcntl(fd, F_ADD_SEALS, ALL_SEALS));
  program = fd;
  return program;
}

/**
 * Starts launch with these descriptors under these numbers, /dev/null as 0, 1 and 2, and nothing else it could use.
 * vfork(2) semantics: the caller waits for the exec, about 0.05 ms, whatever its own size. Returns the pid.
 */
export function spawnLaunch(descriptors: ReadonlyMap<number, number>): number {
  const first = Math.max(...descriptors.keys(), 2) + 1;
  const moved: number[] = [];
  const actions = Buffer.alloc(ACTIONS_BYTES);
  actionsInit(actions);
  try {
    // The actions are done one after the other in the child: no source may have a number that an earlier one took.
    const above = (fd: number): number => {
      if (fd >= first) return fd;
      const copy = duplicateAbove(fd, first);
      moved.push(copy);
      return copy;
    };
    const path = `/proc/self/fd/${above(load())}`;
    for (const [number, fd] of descriptors) addDup2(actions, above(fd), number);
    addOpen(actions, 0, '/dev/null', O_RDWR, 0);
    addDup2(actions, 0, 1);
    addDup2(actions, 0, 2);
    const pid: [number] = [0];
    const error = posixSpawn(pid, path, actions, null, ['drydock-keeper', null], [null]);
    if (error !== 0) throw new SysError('posix_spawn', errnoName(error), launchPath());
    return pid[0];
  } finally {
    actionsDestroy(actions);
    for (const fd of moved) closeSync(fd);
  }
}
