// A container made by another OCI runtime (runc, crun), as a launch plan: the runtime is a program that the plan runs,
// twice; what it leaves is the keeper's, as with a container of our own. Pure.
//
//   keeper   outside, stays; what a runtime leaves behind becomes its child (PR_SET_CHILD_SUBREAPER)
//   create   in a mount namespace of its own: mounts the root file system, becomes `runc create` or `runc exec`
//   start    becomes `runc start`
import type { RootfsMount } from '../image/graph-driver.ts';
import { showTree } from '../launch/mounts.ts';
import { pipes, resize } from '../launch/stdio.ts';
import { AT_FDCWD, groups, makeDirectories, O_CLOEXEC, O_DIRECTORY, O_PATH, readFile } from '../launch/steps.ts';
import { listenAt, RECEIVED, receiveDescriptor } from '../launch/unix-socket.ts';
import { call, type KeepStep, type LaunchPlan, slot, type Step } from '../model/launch-plan.ts';
import { CLONE_NEW } from '../model/namespace.ts';
import { makeFile, openSource } from './mount-steps.ts';
import { leaveHostMounts, mountRootfs } from './rootfs-steps.ts';

export interface OciRun {
  /** The runtime's program and its options before the command. */
  readonly program: string;
  readonly options: readonly string[];
  readonly id: string;
  /** Directory with config.json (and `rootfs`), where the runtime leaves the pid, its log and its terminal's socket. */
  readonly bundle: string;
  readonly keeperJoin: readonly string[];
  /** v2 beside v1. Nobody else puts the container into this group, and where the tree is mounted is hidden from the runtime:
   * crun refuses to work where it sees both. */
  readonly unified: { readonly group: string; readonly mountPoint: string } | null;
  readonly openStdin: boolean;
  readonly terminal: { readonly width: number; readonly height: number } | null;
}

export interface OciCreate extends OciRun {
  readonly rootfs: RootfsMount;
  /** Files of other containers that are bound: runc can't name them, so they are mounted in the bundle. */
  readonly foreign: readonly {
    readonly source: string;
    readonly target: string;
    readonly recursive: boolean;
    readonly isFile: boolean;
  }[];
}

const MNT_DETACH = 2;
const LAST = 0xffff_ffff;
const CLOSE_RANGE_CLOEXEC = 4;
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const SOCKET = 'console.sock';
/** Where the runtime writes what went wrong, and the pid. Relative to the bundle. */
export const LOG = 'log.json';
const PID = 'pid';

const become = ({ program, options }: Pick<OciRun, 'program' | 'options'>, ...args: readonly string[]): Step[] => [
  call('close_range', [3, LAST, CLOSE_RANGE_CLOEXEC]),
  call(
    'execve',
    [program, { strings: [program, ...options, '--log', LOG, '--log-format', 'json', ...args] }, { strings: [PATH] }],
    {
      purpose: `exec: ${JSON.stringify(program)}`,
    },
  ),
];

const consoleOf = ({ terminal }: OciRun): string[] => (terminal === null ? [] : ['--console-socket', SOCKET]);

/** Any other command of the runtime's: `runc delete`. Ends with it. */
export function commandPlan(
  run: Pick<OciRun, 'program' | 'options' | 'unified' | 'bundle'>,
  args: readonly string[],
): LaunchPlan {
  return {
    start: 'wait',
    blocks: {
      wait: [
        { kind: 'clone', flags: BigInt(CLONE_NEW.mnt), child: 'command', save: 'command' },
        { kind: 'wait', pid: slot('command') },
      ],
      command: [...hideUnified(run), call('chdir', [run.bundle]), ...become(run, ...args)],
    },
  };
}

/** In this mount namespace only. */
function hideUnified({ unified }: Pick<OciRun, 'unified'>): Step[] {
  return unified === null ? [] : [leaveHostMounts(), call('umount2', [unified.mountPoint, MNT_DETACH])];
}

/** `runc create`, then `runc start`. */
export function createPlan(run: OciCreate): LaunchPlan {
  const { bundle, rootfs, foreign, id } = run;
  const trees = foreign.map((one, index) => ({ ...one, tree: slot(`foreign-${index}`) }));
  return planOf(
    run,
    [
      ...trees.flatMap(({ source, recursive, tree }) =>
        openSource(source, recursive, tree, `error mounting "${source}"`),
      ),
      leaveHostMounts(),
      ...mountRootfs(rootfs, `${bundle}/rootfs`),
      ...trees.flatMap(({ target, isFile, tree }) => [
        ...(isFile ? makeFile(target) : makeDirectories(target)),
        showTree(tree, target),
      ]),
    ],
    ['create', '--bundle', '.', '--pid-file', PID, ...consoleOf(run), id],
    ['start', id],
  );
}

/** `runc exec`: `bundle` has process.json. */
export function ociExecPlan(run: OciRun): LaunchPlan {
  const isTerminal = run.terminal !== null;
  const args = [
    '--detach',
    '--process',
    'process.json',
    '--pid-file',
    PID,
    ...(isTerminal ? ['--tty'] : []),
    ...consoleOf(run),
  ];
  return planOf(run, [], ['exec', ...args, run.id], null);
}

function planOf(
  run: OciRun,
  before: readonly Step[],
  first: readonly string[],
  second: readonly string[] | null,
): LaunchPlan {
  const { bundle, unified, terminal } = run;
  const keepers = groups('keepers', run.keeperJoin);
  const stdio = pipes(run.openStdin);
  const inGroup = unified === null ? {} : { cgroup: slot('group') };
  const isOn = terminal === null;
  const enter = call('chdir', [bundle]);
  return {
    start: 'keeper',
    blocks: {
      keeper: [
        enter,
        ...(isOn ? stdio.prepare : listenAt(SOCKET)),
        ...keepers.open,
        ...keepers.join,
        ...(unified === null
          ? []
          : [call('openat', [AT_FDCWD, unified.group, O_PATH | O_DIRECTORY | O_CLOEXEC], { save: 'group' })]),
        { kind: 'clone', flags: BigInt(CLONE_NEW.mnt), child: 'create', save: 'create', ...inGroup },
        { kind: 'wait', pid: slot('create') },
        ...readFile(PID, 'pid'),
        ...(isOn ? [] : [...receiveDescriptor(), resize(RECEIVED, { cols: terminal.width, rows: terminal.height })]),
        ...(second === null
          ? []
          : [
              { kind: 'clone', flags: 0n, child: 'start', save: 'start' } as const,
              { kind: 'wait', pid: slot('start') } as const,
            ]),
        call('chdir', ['/']),
        { kind: 'keep', pid: { decimal: 'pid' }, ...kept(stdio.keep, isOn) },
      ],
      create: [
        call('setsid'),
        ...(isOn ? stdio.take : []),
        ...before,
        ...hideUnified(run),
        enter,
        ...become(run, ...first),
      ],
      ...(second === null ? {} : { start: become(run, ...second) }),
    },
  };
}

const kept = (onPipes: Omit<KeepStep, 'kind' | 'pid'>, isOn: boolean): Omit<KeepStep, 'kind' | 'pid'> =>
  isOn ? onPipes : { terminal: RECEIVED };
