// Ends FUSE file systems of a range of owners, by fusectl (kernel Documentation/filesystems/fuse, "Control filesystem").
// Who waits for the answer to a request that its server has read can't be killed; when the waiting process itself holds
// the server's end, nothing but this ends it (the same text, "Tragedy": tried, a sandbox could not be ended).
import { closeSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { bind, checked, lastErrno } from './libc.ts';
import { SysError } from '../model/engine-error.ts';

const fsopen = bind('long syscall(long number, const char *type, unsigned int flags)');
const fsconfig = bind('long syscall(long number, int fd, unsigned int command, void *key, void *value, int aux)');
const fsmount = bind('long syscall(long number, int fd, unsigned int flags, unsigned int attributes)');
/** The same numbers on every architecture. */
const SYS = { fsopen: 430, fsconfig: 431, fsmount: 432 } as const;
const CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;

/** A mount of fusectl that is in no mount namespace: only by this descriptor. -1 on a kernel without FUSE. */
function openFusectl(): number {
  const context = fsopen(SYS.fsopen, 'fusectl', CLOEXEC);
  if (context < 0) {
    const errno = lastErrno();
    if (errno === 'ENODEV' || errno === 'ENOSYS') return -1;
    throw new SysError('fsopen', errno, 'fusectl');
  }
  try {
    checked('fsconfig', 'fusectl', fsconfig(SYS.fsconfig, context, FSCONFIG_CMD_CREATE, null, null, 0));
    return checked('fsmount', 'fusectl', fsmount(SYS.fsmount, context, CLOEXEC, 0));
  } finally {
    closeSync(context);
  }
}

/**
 * Aborts every FUSE connection whose owner's uid is one of the `count` from `first` on: all that wait for it get
 * ENOTCONN. Returns how many there were.
 */
export function abortFuse(first: number, count: number): number {
  const control = openFusectl();
  if (control < 0) return 0;
  let aborted = 0;
  try {
    const top = `/proc/self/fd/${control}`;
    for (const connection of readdirSync(top)) {
      try {
        const { uid } = statSync(`${top}/${connection}`);
        if (uid < first || uid >= first + count) continue;
        writeFileSync(`${top}/${connection}/abort`, '1', { flag: 'r+' });
        aborted += 1;
      } catch (error) {
        // ENOENT: its last user has gone meanwhile.
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    }
  } finally {
    closeSync(control);
  }
  return aborted;
}
