// Entering a sandbox: a program started in it from outside, on a terminal or on pipes. Pure.
//
//   keeper  root of the host; stays outside and keeps the program's terminal or pipes and its exit status
//   enter   joins the sandbox's cgroup and all its namespaces, then makes the program's process
//   program born in the sandbox's pid namespace; drops to the learner's root, takes the filter, executes
//
// No path of the learner's is ever walked with the host's rights: `program` opens files only once it has the learner's.
import { CLONE_NEW, NAMESPACE_TYPES } from '../model/namespace.ts';
import { pipes, type Stdio, terminal } from '../launch/stdio.ts';
import { groups, setIds, setRlimits, setSeccomp } from '../launch/steps.ts';
import { call, type LaunchPlan, slot, type Step } from '../model/launch-plan.ts';
import type { Rlimit } from '../model/rlimits.ts';

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

/** A program of the sandbox, its output kept. */
function keptPlan(entry: Entry, stdio: Stdio): LaunchPlan {
  const { keeper, enter } = into(entry, 'program');
  return {
    start: 'keeper',
    blocks: {
      keeper: [
        ...stdio.prepare,
        ...keeper,
        ...stdio.hold,
        { kind: 'wait', pid: slot('enter') },
        { kind: 'keep', pid: slot('program'), ...stdio.keep },
      ],
      enter,
      program: [...setIds(0), call('setsid'), ...stdio.open, ...stdio.take, ...execute(entry)],
    },
  };
}

/** A program on three pipes; the keeper writes down what comes out of them, and when. */
export const execPlan = (entry: Entry): LaunchPlan => keptPlan(entry, pipes(true));

/** A shell on a new terminal of the sandbox's own devpts: `tty` inside says /dev/pts/N, N is in the room "pts". */
export const terminalPlan = (entry: Entry & { cols: number; rows: number }): LaunchPlan =>
  keptPlan(entry, terminal('program', entry));
