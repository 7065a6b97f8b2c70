// For kernel tests and measurements: the smallest whole container, as a launch plan: all eight namespaces, an overlay
// over a root with nothing but busybox, pivot_root. The sandbox's own plan is in src/sandbox.
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { call, type LaunchPlan, slot, type Step, text } from '../model/launch-plan.ts';
import { CLONE_NEW, NAMESPACE_TYPES } from '../model/namespace.ts';

const ALL = NAMESPACE_TYPES.reduce((flags, type) => flags | BigInt(CLONE_NEW[type]), 0n);
const USER = BigInt(CLONE_NEW.user);
const MS_REC_PRIVATE = 0x4000 | (1 << 18);
const MNT_DETACH = 2;
const O_WRONLY_CLOEXEC = 0o2000001;
const APPLETS = [
  'sh',
  'cat',
  'echo',
  'ls',
  'ps',
  'id',
  'tty',
  'stty',
  'sleep',
  'yes',
  'head',
  'hostname',
  'kill',
  'true',
];
/** First host id of a mapped container: far above the sandboxes' slots, so that a test never meets one. */
export const TEST_BASE = 3_900_000_000;

/** A directory on tmpfs with `rootfs`, layers (`user-…` for a mapped container) and `merged`; call `remove` when done. */
export function busyboxRoot(): { directory: string; remove: () => void } {
  const directory = mkdtempSync('/dev/shm/drydock-root-');
  chmodSync(directory, 0o755); // the mapped root walks through it
  for (const name of ['upper', 'work', 'merged']) mkdirSync(join(directory, name));
  for (const name of ['user-upper', 'user-work']) {
    mkdirSync(join(directory, name));
    chownSync(join(directory, name), TEST_BASE, TEST_BASE);
  }
  for (const name of ['bin', 'proc', 'dev', 'tmp', 'dev/pts'])
    mkdirSync(join(directory, 'rootfs', name), { recursive: true });
  copyFileSync('/usr/bin/busybox', join(directory, 'rootfs/bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(directory, 'rootfs/bin', applet));
  symlinkSync('pts/ptmx', join(directory, 'rootfs/dev/ptmx'));
  return { directory, remove: () => rmSync(directory, { recursive: true }) };
}

export interface ContainerOptions {
  readonly directory: string;
  readonly script: string;
  /** With a user namespace of its own, mapped by the keeper. */
  readonly user?: boolean;
  /** Steps of the container just before it executes, and of the keeper just before it keeps. */
  readonly inside?: readonly Step[];
  readonly outside?: readonly Step[];
  readonly keep?: Omit<Extract<Step, { kind: 'keep' }>, 'kind' | 'pid'>;
}

const writeMap = (file: string): Step[] => [
  call('openat', [-100, text('/proc/', slot('container'), `/${file}`), O_WRONLY_CLOEXEC], { save: file }),
  call('write', [slot(file), `0 ${TEST_BASE} 65536`, `0 ${TEST_BASE} 65536`.length]),
  call('close', [slot(file)]),
];

export function containerPlan(options: ContainerOptions): LaunchPlan {
  const { directory, script, user = false, inside = [], outside = [], keep = {} } = options;
  const of = user ? `${directory}/user-` : `${directory}/`;
  const layers = `lowerdir=${directory}/rootfs,upperdir=${of}upper,workdir=${of}work`;
  return {
    start: 'keeper',
    blocks: {
      keeper: [
        { kind: 'clone', flags: user ? ALL : ALL & ~USER, child: 'container', save: 'container' },
        ...(user ? [...writeMap('uid_map'), ...writeMap('gid_map')] : []),
        { kind: 'open', gate: 'mapped' },
        ...outside,
        { kind: 'keep', pid: slot('container'), ...keep },
      ],
      container: [
        { kind: 'await', gate: 'mapped' },
        ...(user ? [call('setresgid', [0, 0, 0]), call('setresuid', [0, 0, 0])] : []),
        call('mount', [null, '/', null, MS_REC_PRIVATE, null]),
        call('mount', ['overlay', `${directory}/merged`, 'overlay', 0, user ? `${layers},userxattr` : layers]),
        call('mount', ['proc', `${directory}/merged/proc`, 'proc', 14, null]),
        call('mount', ['devpts', `${directory}/merged/dev/pts`, 'devpts', 10, 'newinstance,ptmxmode=0666']),
        call('sethostname', ['box', 3]),
        call('chdir', [`${directory}/merged`]),
        call('pivot_root', ['.', '.']),
        call('umount2', ['.', MNT_DETACH]),
        call('chdir', ['/']),
        call('setsid'),
        ...inside,
        call('close_range', [3, 0xffff_ffff, 4]),
        call('execve', ['/bin/sh', { strings: ['sh', '-c', script] }, { strings: ['PATH=/bin', 'HOME=/'] }]),
      ],
    },
  };
}

/** Steps of the keeper that make stdout and stderr pipes, and of the container that takes their write ends. */
export const PIPES = {
  before: [
    call('pipe2', [{ room: 8, name: 'in' }, 0o2000000]),
    call('pipe2', [{ room: 8, name: 'out' }, 0o2000000]),
    call('pipe2', [{ room: 8, name: 'err' }, 0o2000000]),
  ],
  inside: [
    call('dup3', [{ word: 'in', at: 0 }, 0, 0]),
    call('dup3', [{ word: 'out', at: 4 }, 1, 0]),
    call('dup3', [{ word: 'err', at: 4 }, 2, 0]),
  ],
  // The keeper lets go of what is the container's: or it would never see the end of the pipes.
  outside: [
    call('close', [{ word: 'in', at: 0 }]),
    call('close', [{ word: 'out', at: 4 }]),
    call('close', [{ word: 'err', at: 4 }]),
  ],
  keep: { stdin: { word: 'in', at: 4 }, stdout: { word: 'out', at: 0 }, stderr: { word: 'err', at: 0 } },
} as const;

/** The same for a terminal of the container's own devpts; the keeper takes the master with pidfd_getfd(2). */
export const TERMINAL = {
  inside: [
    call('openat', [-100, '/dev/ptmx', 0o2000402], { save: 'master' }),
    call('ioctl', [slot('master'), 0x4004_5431, { bytes: new Uint8Array(4) }]), // TIOCSPTLCK: unlock
    call('ioctl', [slot('master'), 0x5441, 0o2000402], { save: 'tty' }), // TIOCGPTPEER
    call('ioctl', [slot('tty'), 0x5414, { bytes: Uint8Array.from([24, 0, 80, 0, 0, 0, 0, 0]) }]), // TIOCSWINSZ
    call('ioctl', [slot('tty'), 0x540e, 0]), // TIOCSCTTY
    ...[0, 1, 2].map((fd) => call('dup3', [slot('tty'), fd, 0])),
    { kind: 'open', gate: 'terminal' },
    { kind: 'await', gate: 'taken' },
  ],
  outside: [
    { kind: 'await', gate: 'terminal' },
    call('pidfd_open', [slot('container'), 0], { save: 'pidfd' }),
    call('pidfd_getfd', [slot('pidfd'), slot('master'), 0], { save: 'taken' }),
    { kind: 'open', gate: 'taken' },
  ],
  keep: { terminal: slot('taken') },
} as const satisfies Partial<ContainerOptions>;

/** A container on pipes. */
export function pipedPlan(directory: string, script: string, user = false): LaunchPlan {
  const plan = containerPlan({
    directory,
    script,
    user,
    inside: PIPES.inside,
    outside: PIPES.outside,
    keep: PIPES.keep,
  });
  return { ...plan, blocks: { ...plan.blocks, keeper: [...PIPES.before, ...(plan.blocks['keeper'] ?? [])] } };
}

/** A container on a terminal. */
export function terminalPlan(directory: string, script: string, user = false): LaunchPlan {
  return containerPlan({ directory, script, user, ...TERMINAL });
}
