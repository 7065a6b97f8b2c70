// Parser of /proc/PID/cmdline (proc_pid_cmdline(5)): bounded, for people to read. Pure.
import { cut, decode } from './text.ts';

const MAX_ARGUMENTS = 64;
const MAX_ARGUMENT_CHARACTERS = 512;

/** argv; of what is longer only the beginning. A process may overwrite its own cmdline with anything. */
export function parseCmdline(bytes: Uint8Array): string[] {
  const argv: string[] = [];
  let start = 0;
  while (start < bytes.length && argv.length < MAX_ARGUMENTS) {
    const nul = bytes.indexOf(0, start);
    const end = nul < 0 ? bytes.length : nul;
    // A character is at most four bytes: cut before decoding.
    const argument = decode(bytes.subarray(start, Math.min(end, start + 4 * MAX_ARGUMENT_CHARACTERS)));
    argv.push(cut(argument, MAX_ARGUMENT_CHARACTERS));
    start = end + 1;
  }
  return argv;
}
