// Entering a sandbox: a program started in it from outside, on a terminal or on pipes. Pure.
//
//   keeper  root of the host; stays outside and keeps the program's terminal or pipes and its exit status
//   enter   joins the sandbox's cgroup and all its namespaces, then makes the program's process
//   program born in the sandbox's pid namespace; drops to the learner's root, takes the filter, executes
//
// No path of the learner's is ever walked with the host's rights: `program` opens files only once it has the learner's.
import { CLONE_NEW, NAMESPACE_TYPES } from '../model/namespace.ts';
import { call, type LaunchPlan, slot, type Step, type Value, word } from '../model/launch-plan.ts';
import type { Rlimit } from '../model/rlimits.ts';
import { groups, O_CLOEXEC, O_NOCTTY, O_RDWR, setIds, setRlimits, setSeccomp } from './steps.ts';

export interface Entry {
  groups: { keepers: readonly string[]; leaf: readonly string[] };
  rlimits: readonly Rlimit[];
  seccomp: Uint8Array;
  argv: readonly string[];
  env: Readonly<Record<string, string>>;
  cwd: string;
}

const CLONE_PARENT = 0x8000n;
const ALL_NAMESPACES = NAMESPACE_TYPES.reduce((flags, type) => flags | CLONE_NEW[type], 0);
const CLOSE_RANGE_CLOEXEC = 4;
const TIOCSCTTY = 0x540e;
const TIOCSWINSZ = 0x5414;
const TIOCGPTN = 0x8004_5430;
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTPEER = 0x5441;
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;

/** What every entry begins with; `pidfd` names the sandbox's init, so that a reused pid can't be entered by mistake. */
function into({ groups: files }: Pick<Entry, 'groups'>, child: string): { keeper: Step[]; enter: Step[] } {
  const keepers = groups('keepers', files.keepers);
  const leaf = groups('leaf', files.leaf);
  return {
    keeper: [
      ...keepers.open,
      ...keepers.join,
      ...leaf.open,
      { kind: 'clone', flags: 0n, child: 'enter', save: 'enter' },
    ],
    enter: [
      ...leaf.join,
      // All at once, by the pidfd of init (setns(2)): the user namespace first, so that the rest may be joined with its rights.
      call('setns', [{ given: 'init' }, ALL_NAMESPACES]),
      // Only the next child is inside the pid namespace; the keeper is made its parent, and waits for it.
      { kind: 'clone', flags: CLONE_PARENT, child, save: 'program' },
    ],
  };
}

/** A plan that only makes some calls inside, with the learner's rights, and ends: no program, nothing kept. */
export function enterPlan(joining: Pick<Entry, 'groups'>, steps: readonly Step[]): LaunchPlan {
  const { keeper, enter } = into(joining, 'program');
  return {
    start: 'keeper',
    blocks: {
      keeper: [...keeper, { kind: 'wait', pid: slot('enter') }, { kind: 'wait', pid: slot('program') }],
      enter,
      program: [...setIds(0), ...steps],
    },
  };
}

function execute({ argv, env, cwd, rlimits, seccomp }: Entry): Step[] {
  const [file = ''] = argv;
  return [
    call('umask', [0o022]),
    call('chdir', [cwd], { mayFail: true }),
    ...setRlimits(rlimits),
    ...setSeccomp(seccomp),
    // No descriptor of the host's goes on into a learner's program: one leaked directory is a way out (CVE-2024-21626).
    call('close_range', [3, 0xffff_ffff, CLOSE_RANGE_CLOEXEC]),
    call('execve', [
      file,
      { strings: argv },
      { strings: Object.entries(env).map(([name, value]) => `${name}=${value}`) },
    ]),
  ];
}

/** struct winsize: rows, columns, and two pixel sizes that nobody uses. */
function winsize(cols: number, rows: number): Value {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, rows, true);
  view.setUint16(2, cols, true);
  return { bytes };
}

/** A program on three pipes; the keeper writes down what comes out of them, and when. */
export function execPlan(entry: Entry): LaunchPlan {
  const { keeper, enter } = into(entry, 'program');
  const ends = (name: string) => ({ read: word(name, 0), write: word(name, 4) });
  const [stdin, stdout, stderr] = [ends('stdin'), ends('stdout'), ends('stderr')];
  return {
    start: 'keeper',
    blocks: {
      keeper: [
        ...['stdin', 'stdout', 'stderr'].map((name) => call('pipe2', [{ room: 8, name }, O_CLOEXEC])),
        ...keeper,
        { kind: 'wait', pid: slot('enter') },
        { kind: 'keep', pid: slot('program'), stdin: stdin.write, stdout: stdout.read, stderr: stderr.read },
      ],
      enter,
      program: [
        ...setIds(0),
        call('setsid'),
        call('dup3', [stdin.read, STDIN, 0]),
        call('dup3', [stdout.write, STDOUT, 0]),
        call('dup3', [stderr.write, STDERR, 0]),
        ...execute(entry),
      ],
    },
  };
}

/** A shell on a new terminal of the sandbox's own devpts: `tty` inside says /dev/pts/N, N is in the room "pts". */
export function terminalPlan(entry: Entry & { cols: number; rows: number }): LaunchPlan {
  const { keeper, enter } = into(entry, 'program');
  return {
    start: 'keeper',
    blocks: {
      keeper: [
        ...keeper,
        { kind: 'await', gate: 'terminal' },
        call('pidfd_open', [slot('program'), 0], { save: 'pidfd' }),
        call('pidfd_getfd', [slot('pidfd'), slot('master'), 0], { save: 'kept-master' }),
        { kind: 'open', gate: 'kept' },
        { kind: 'wait', pid: slot('enter') },
        { kind: 'keep', pid: slot('program'), terminal: slot('kept-master') },
      ],
      enter,
      program: [
        ...setIds(0),
        call('setsid'),
        call('openat', [-100, '/dev/ptmx', O_RDWR | O_NOCTTY | O_CLOEXEC], { save: 'master' }),
        call('ioctl', [slot('master'), TIOCSPTLCK, { bytes: new Uint8Array(4) }]),
        call('ioctl', [slot('master'), TIOCGPTN, { room: 4, name: 'pts' }]),
        call('ioctl', [slot('master'), TIOCSWINSZ, winsize(entry.cols, entry.rows)]),
        // The other end by ioctl, not by path: what stands at /dev/pts is the learner's.
        call('ioctl', [slot('master'), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC], { save: 'tty' }),
        call('ioctl', [slot('tty'), TIOCSCTTY, 0]),
        ...[STDIN, STDOUT, STDERR].map((fd) => call('dup3', [slot('tty'), fd, 0])),
        { kind: 'open', gate: 'terminal' },
        { kind: 'await', gate: 'kept' },
        ...execute(entry),
      ],
    },
  };
}
