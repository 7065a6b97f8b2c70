// The host name of another uts namespace: this thread joins it, asks, and goes back. For worker threads of our own only.
import { openSync } from 'node:fs';
import { bind, checked } from './libc.ts';

const setns = bind('int setns(int, int)');
const uname = bind('int uname(void *)');

const CLONE_NEWUTS = 0x0400_0000;
// struct utsname: six fields of 65 bytes; nodename is the second.
const FIELD_BYTES = 65;
const utsname = Buffer.alloc(6 * FIELD_BYTES);
let ownUtsFd: number | null = null;

/**
 * nodename as a process of that namespace sees it; `utsFd` is an open ns/uts. /proc/PID/root/proc/sys/kernel/hostname would
 * not do: it answers for the *reader's* namespace, and walks the learner's files. setns(2) moves only the calling thread,
 * and for uts that is two pointers: 3 µs in all. Null where this is not allowed (EPERM: it needs CAP_SYS_ADMIN in both user namespaces).
 * Throws SysError when there is no way back: then the thread must not go on.
 */
export function hostnameOf(utsFd: number): string | null {
  ownUtsFd ??= openSync('/proc/thread-self/ns/uts', 'r');
  if (setns(utsFd, CLONE_NEWUTS) < 0) return null;
  try {
    checked('uname', 'uts namespace', uname(utsname));
  } finally {
    checked('setns', 'own uts namespace', setns(ownUtsFd, CLONE_NEWUTS));
  }
  const end = utsname.indexOf(0, FIELD_BYTES);
  return new TextDecoder().decode(utsname.subarray(FIELD_BYTES, Math.min(end, 2 * FIELD_BYTES)));
}
