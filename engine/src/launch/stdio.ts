// What a program reads and writes, as steps: three pipes, or a terminal of its own. The keeper holds the other ends. Pure.
import { call, type KeepStep, slot, type Step, type Value, word } from '../model/launch-plan.ts';
import { AT_FDCWD, O_CLOEXEC, O_NOCTTY, O_NONBLOCK, O_RDWR } from './steps.ts';

const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const TIOCSCTTY = 0x540e;
const TIOCSWINSZ = 0x5414;
const TIOCGPTN = 0x8004_5430;
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTPEER = 0x5441;

/** Steps for each side of a plan, in the order they come there. */
export interface Stdio {
  /** Of the keeper, before it makes any process. */
  readonly prepare: readonly Step[];
  /** Of `opener`, once it is where the program is to run. */
  readonly open: readonly Step[];
  /** Of the program, which is `opener` or a child of it; it has done setsid(2) already. */
  readonly take: readonly Step[];
  /** Of the keeper, once the process is made. */
  readonly hold: readonly Step[];
  readonly keep: Omit<KeepStep, 'kind' | 'pid'>;
}

/** Three pipes. Without `openStdin` the program keeps the /dev/null that launch was given as its stdin. */
export function pipes(openStdin: boolean): Stdio {
  const ends = (name: string) => ({ read: word(name, 0), write: word(name, 4) });
  const [stdin, stdout, stderr] = [ends('stdin'), ends('stdout'), ends('stderr')];
  const names = [...(openStdin ? ['stdin'] : []), 'stdout', 'stderr'];
  return {
    open: [],
    prepare: names.map((name) => call('pipe2', [{ room: 8, name }, O_CLOEXEC])),
    take: [
      ...(openStdin ? [call('dup3', [stdin.read, STDIN, 0])] : []),
      call('dup3', [stdout.write, STDOUT, 0]),
      call('dup3', [stderr.write, STDERR, 0]),
    ],
    hold: [],
    keep: { ...(openStdin ? { stdin: stdin.write } : {}), stdout: stdout.read, stderr: stderr.read },
  };
}

/** struct winsize: rows, columns, and two pixel sizes that nobody uses. */
function winsize(cols: number, rows: number): Value {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, rows, true);
  view.setUint16(2, cols, true);
  return { bytes };
}

export function resize(terminal: Value, size: { readonly cols: number; readonly rows: number }): Step {
  return call('ioctl', [terminal, TIOCSWINSZ, winsize(size.cols, size.rows)]);
}

/**
 * A new terminal of the devpts that `program` sees: `tty` inside says /dev/pts/N, N is in the room "pts". The slot "tty"
 * is the program's end. The keeper takes the master out of the process `opener` (pidfd_getfd(2)), which has the right to
 * open it; a process that the keeper can number: not one that was made in the new pid namespace.
 */
export function terminal(opener: string, size: { readonly cols: number; readonly rows: number }): Stdio {
  return {
    prepare: [],
    open: [
      // O_NONBLOCK: what stands at /dev/ptmx may be a FIFO that somebody put there; then the ioctl says so (ENOTTY).
      call('openat', [AT_FDCWD, '/dev/ptmx', O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC], { save: 'master' }),
      call('ioctl', [slot('master'), TIOCSPTLCK, { bytes: new Uint8Array(4) }]),
      call('ioctl', [slot('master'), TIOCGPTN, { room: 4, name: 'pts' }]),
      resize(slot('master'), size),
      // The other end by ioctl, not by path: what stands at /dev/pts is not to be trusted.
      call('ioctl', [slot('master'), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], { save: 'tty' }),
      { kind: 'open', gate: 'terminal' },
      { kind: 'await', gate: 'kept' },
    ],
    take: [
      call('ioctl', [slot('tty'), TIOCSCTTY, 0]),
      ...[STDIN, STDOUT, STDERR].map((fd) => call('dup3', [slot('tty'), fd, 0])),
    ],
    hold: [
      { kind: 'await', gate: 'terminal' },
      call('pidfd_open', [slot(opener), 0], { save: 'pidfd' }),
      call('pidfd_getfd', [slot('pidfd'), slot('master'), 0], { save: 'kept-master' }),
      { kind: 'open', gate: 'kept' },
    ],
    keep: { terminal: slot('kept-master') },
  };
}
