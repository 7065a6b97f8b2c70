// pidfds (pidfd_open(2)): a process by a descriptor, so that a number that was given to another can't be meant.
import { readIfThere } from './atomic-file.ts';
import { bind, checked } from './libc.ts';
import { parseStat } from './proc/stat.ts';

const syscall = bind('long syscall(long number, int pid, unsigned int flags)');
const SYS_PIDFD_OPEN = 434; // the same number on every architecture

/** A descriptor of the process; the caller closes it. */
export function pidfdOpen(pid: number): number {
  return checked('pidfd_open', String(pid), syscall(SYS_PIDFD_OPEN, pid, 0));
}

/** Clock ticks after boot at which the process started (field 22 of proc_pid_stat(5)); null when it is gone. */
export function startTicks(pid: number): number | null {
  const text = readIfThere(`/proc/${pid}/stat`);
  return text === null ? null : (parseStat(Buffer.from(text))?.startTicks ?? null);
}
