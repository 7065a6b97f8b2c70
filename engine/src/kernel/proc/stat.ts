// Parser of /proc/PID/stat (proc_pid_stat(5)) and of the device number of a controlling terminal. Pure.
import { decimal, decode } from './text.ts';

/** States as the kernel writes them (fs/proc/array.c, task_state_array); K, W and x are of older kernels. */
export const PROCESS_STATES = ['R', 'S', 'D', 'T', 't', 'Z', 'X', 'I', 'P'] as const;
export type ProcessState = (typeof PROCESS_STATES)[number];

export interface Stat {
  pid: number;
  comm: string;
  state: ProcessState;
  ppid: number;
  ttyNr: number;
  /** PF_* bits of linux/sched.h. */
  flags: number;
  threads: number;
  /** Clock ticks (1/100 s) after boot: with the pid, the identity of a process. */
  startTicks: number;
}

/** linux/sched.h: the task has entered do_exit. */
export const PF_EXITING = 0x4;

/**
 * The comm may hold spaces, parentheses and newlines (prctl(2) PR_SET_NAME takes any bytes), so the fields are
 * counted from the last ")". Null when the text is not a whole stat line.
 */
export function parseStat(bytes: Uint8Array): Stat | null {
  const open = bytes.indexOf(0x28);
  const close = bytes.lastIndexOf(0x29);
  if (open < 2 || close < open) return null;
  const pid = decimal(decode(bytes.subarray(0, open - 1)));
  const fields = decode(bytes.subarray(close + 2))
    .trimEnd()
    .split(' ');
  const state = PROCESS_STATES.find((each) => each === fields[0]);
  const ppid = decimal(fields[1]);
  const ttyNr = decimal(fields[4]);
  const flags = decimal(fields[6]);
  const threads = decimal(fields[17]);
  const startTicks = decimal(fields[19]);
  // Field 21 must follow: else the last number may have been cut.
  if (pid === null || state === undefined || ppid === null || ttyNr === null || fields.length < 21) return null;
  if (flags === null || threads === null || startTicks === null) return null;
  return { pid, comm: decode(bytes.subarray(open + 1, close)), state, ppid, ttyNr, flags, threads, startTicks };
}

/** "pts/3" for a Unix98 terminal (majors 136–143, Documentation/admin-guide/devices.txt); null for none or another kind. */
export function ttyName(ttyNr: number): string | null {
  // new_encode_dev: minor bits 0–7 and 20–31, major bits 8–19.
  const major = (ttyNr >>> 8) & 0xfff;
  const minor = (ttyNr & 0xff) | ((ttyNr >>> 12) & 0xfff00);
  return major >= 136 && major <= 143 ? `pts/${(major - 136) * (1 << 20) + minor}` : null;
}
