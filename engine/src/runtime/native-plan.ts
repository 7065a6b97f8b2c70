// A container as a list of system calls: from config.json to execve. Pure; read it from containerPlan() down, and each
// function it names in its own file. Two processes (three with --init), one plan:
//
//   keeper     outside, stays: makes the pipes and the container's first process, then keeps what that writes and how it ends
//   container  pid 1 of the container: joins its control groups and namespaces, builds what it will see, becomes the program
//   program    only with --init: the program, as the child of a small init
import type { RootfsMount } from '../image/graph-driver.ts';
import { leaveHostMounts, enterRootfs, mountRootfs } from './rootfs-steps.ts';
import { pipes, type Stdio, terminal } from '../launch/stdio.ts';
import {
  AT_FDCWD,
  groups,
  makeDirectories,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  O_WRONLY,
  writeFile,
} from '../launch/steps.ts';
import type { CgroupHost } from '../model/cgroup-host.ts';
import { EngineError } from '../model/engine-error.ts';
import { call, type CloneStep, type LaunchPlan, slot, type Step } from '../model/launch-plan.ts';
import { CLONE_NEW, type NamespaceType } from '../model/namespace.ts';
import type { OciNamespaceType, OciProcess, OciSpec } from '../model/oci-spec.ts';
import { changeTree, MOUNT_ATTR, openResolved } from '../launch/mounts.ts';
import { consoleSteps, deviceSteps, type MaskedPath, maskSteps, openMask, readonlySteps } from './device-steps.ts';
import { enterDirectory, executeSteps, letGo } from './execute-steps.ts';
import { identitySteps, rlimitSteps } from './identity-steps.ts';
import { mountSteps, parentOf } from './mount-steps.ts';

export interface NativeContainer {
  /** 64 hex digits. */
  readonly id: string;
  /** `spec.root.path` is an empty directory of the host's: the root file system is built on it, in its own mount namespace. */
  readonly spec: OciSpec;
  readonly rootfs: RootfsMount;
  readonly group: NativeGroup;
  readonly openStdin: boolean;
  readonly init: boolean;
  /** Compiled from spec.linux.seccomp: sock_filter[]; null is no filter. */
  readonly seccomp: Uint8Array | null;
  /** Sources of binds that are no directories. */
  readonly files: ReadonlySet<string>;
  /** spec.linux.maskedPaths, without those of the kernel's trees that are not there. */
  readonly masked: readonly MaskedPath[];
  readonly host: NativeHost;
}

export interface NativeGroup {
  /** Files to write "0" to, of the hierarchies that the clone does not join by itself. */
  readonly join: readonly string[];
  readonly keeperJoin: readonly string[];
  /** v2: the child is born in it (CLONE_INTO_CGROUP). */
  readonly directory: string | null;
}

/** What the plan has to know of the machine. */
export interface NativeHost {
  readonly cgroups: CgroupHost;
  /** Not in a user namespace: mknod(2) makes device nodes. */
  readonly mayMakeNodes: boolean;
}

const KEYCTL_JOIN_SESSION_KEYRING = 1;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP = 1;
const [AF_INET, SOCK_DGRAM] = [2, 2];

/** Throws EngineError for a specification that no plan can be made of. */
export function containerPlan(container: NativeContainer): LaunchPlan {
  const stdio = processStdio(container.spec.process, container.openStdin, 'container');
  return {
    start: 'keeper',
    blocks: {
      keeper: keeper(container, stdio),
      container: [...build(container, stdio), ...(container.init ? asInit(container) : program(container, stdio))],
      ...(container.init ? { program: program(container, stdio) } : {}),
    },
  };
}

function keeper({ group, spec }: NativeContainer, stdio: Stdio): Step[] {
  const keepers = groups('keepers', group.keeperJoin);
  const pid = namespaceOf(spec, 'pid');
  return [
    ...stdio.prepare,
    ...keepers.open,
    ...keepers.join,
    ...(group.directory === null
      ? []
      : [call('openat', [AT_FDCWD, group.directory, O_PATH | O_DIRECTORY | O_CLOEXEC], { save: 'group' })]),
    // Another container's pid namespace: the keeper stays where it is, only the children it makes from now on are in it.
    ...(pid?.path === undefined ? [] : join('pid', pid.path)),
    makeContainer(spec, group),
    ...stdio.hold,
    { kind: 'keep', pid: slot('container'), ...stdio.keep },
  ];
}

/** A control group's namespace shows the group of whoever makes it as its root: it is made later, by the child. */
function makeContainer(spec: OciSpec, group: NativeGroup): CloneStep {
  const made = spec.linux.namespaces.filter(({ type, path }) => path === undefined && type !== 'cgroup');
  const flags = made.reduce((all, { type }) => all | BigInt(CLONE_NEW[KERNEL_NAMES[type]]), 0n);
  const inGroup = group.directory === null ? {} : { cgroup: slot('group') };
  return { kind: 'clone', flags, child: 'container', save: 'container', ...inGroup };
}

/** From a copy of the host's view to the container's own. */
function build(container: NativeContainer, stdio: Stdio): Step[] {
  const { spec, host, group, rootfs, files, id } = container;
  const { linux, process, root } = spec;
  const mounts = mountSteps(spec.mounts, { cgroups: host.cgroups, groups: group.join.map(parentOf), files });
  const devices = ownsDev(spec) ? deviceSteps(linux.devices ?? [], host.mayMakeNodes) : { open: [], make: [] };
  const { masked } = container;
  return [
    // While the host's paths are in sight: groups and namespaces, and whatever is bound from the host.
    ...joinGroups(group),
    ...joinNamespaces(spec),
    ...(process.oomScoreAdj === undefined ? [] : writeFile('/proc/self/oom_score_adj', String(process.oomScoreAdj))),
    ...mounts.open,
    ...devices.open,
    ...openMask(masked),

    // A root of its own. Nothing of the host's has a name any more.
    leaveHostMounts(),
    ...mountRootfs(rootfs, root.path),
    ...enterRootfs(root.path, linux.rootfsPropagation),

    // Modes as they are written here.
    call('umask', [0]),
    ...mounts.show,
    ...sysctls(linux.sysctl ?? {}),
    ...devices.make,
    ...makeDirectories(process.cwd),
    ...stdio.open,
    ...(process.terminal && ownsDev(spec) ? consoleSteps() : []),
    ...readonlySteps(linux.readonlyPaths ?? []),
    ...maskSteps(masked),
    ...(root.readonly ? [changeTree(AT_FDCWD, { set: MOUNT_ATTR.RDONLY }, { path: '/' })] : []),

    ...names(spec),
    ...(isNew(spec, 'network') ? loopbackUp() : []),
    // A keyring of its own: or the program could use those of whoever started the daemon (keyrings(7)).
    call('keyctl', [KEYCTL_JOIN_SESSION_KEYRING, `_ses.${id}`, 0, 0, 0], { mayFail: ['ENOSYS', 'EDQUOT', 'EPERM'] }),
    ...rlimitSteps(process.rlimits),
  ];
}

/** With --init the program is made first: a filter may forbid clone3(2). */
function asInit(container: NativeContainer): Step[] {
  return [
    { kind: 'clone', flags: 0n, child: 'program', save: 'program' },
    letGo(),
    ...identitySteps(container.spec.process, container.seccomp),
    { kind: 'init', main: slot('program') },
  ];
}

/** The program itself: without --init the container's first process becomes it. */
function program(container: NativeContainer, stdio: Stdio): Step[] {
  const { process } = container.spec;
  return [
    call('setsid'),
    ...stdio.take,
    ...ownStdio(process, container.openStdin),
    letGo(),
    enterDirectory(process),
    ...identitySteps(process, container.seccomp),
    ...executeSteps(process),
  ];
}

/** A program that is not root's may open its own /dev/stdout again: /proc/self/fd/1 asks who owns the pipe. */
export function ownStdio({ user, terminal: isTerminal }: OciProcess, openStdin: boolean): Step[] {
  if (user.uid === 0) return [];
  const held = isTerminal ? [0] : openStdin ? [0, 1, 2] : [1, 2];
  return held.map((fd) => call('fchown', [fd, user.uid, -1]));
}

/** `opener` names the slot of the process that opens its terminal. */
export function processStdio(process: OciProcess, openStdin: boolean, opener: string): Stdio {
  if (!process.terminal) return pipes(openStdin);
  const { height, width } = terminalSize(process);
  return terminal(opener, { cols: width, rows: height });
}

/** 0 is "not said". */
export function terminalSize({ consoleSize }: OciProcess): { readonly height: number; readonly width: number } {
  return { height: consoleSize?.height || 24, width: consoleSize?.width || 80 };
}

const KERNEL_NAMES: Readonly<Record<OciNamespaceType, NamespaceType>> = {
  pid: 'pid',
  network: 'net',
  mount: 'mnt',
  ipc: 'ipc',
  uts: 'uts',
  user: 'user',
  cgroup: 'cgroup',
  time: 'time',
};

const namespaceOf = (spec: OciSpec, type: OciNamespaceType) =>
  spec.linux.namespaces.find((namespace) => namespace.type === type);

function isNew(spec: OciSpec, type: OciNamespaceType): boolean {
  const namespace = namespaceOf(spec, type);
  return namespace !== undefined && namespace.path === undefined;
}

/** The container's own /dev: not one that was bound over it. */
function ownsDev(spec: OciSpec): boolean {
  return !spec.mounts.some(({ destination, type }) => destination === '/dev' && type !== 'tmpfs');
}

export function joinGroups(group: NativeGroup): Step[] {
  const joined = groups('container', group.join);
  return [...joined.open, ...joined.join];
}

function join(type: OciNamespaceType, path: string): Step[] {
  const purpose = `joining the ${type} namespace "${path}"`;
  return [
    call('openat', [AT_FDCWD, path, O_CLOEXEC], { save: `${type}-namespace`, purpose }),
    call('setns', [slot(`${type}-namespace`), CLONE_NEW[KERNEL_NAMES[type]]], { purpose }),
  ];
}

function joinNamespaces(spec: OciSpec): Step[] {
  return [
    ...spec.linux.namespaces.flatMap(({ type, path }) => {
      if (type === 'user' || type === 'time' || (type === 'mount' && path !== undefined))
        throw new EngineError('not_implemented', `Cannot start a container with a ${type} namespace of this kind`);
      return path === undefined || type === 'pid' ? [] : join(type, path);
    }),
    ...(isNew(spec, 'cgroup') ? [call('unshare', [CLONE_NEW.cgroup])] : []),
  ];
}

function names({ hostname = '', domainname = '' }: OciSpec): Step[] {
  return [
    ...(hostname === '' ? [] : [call('sethostname', [hostname, Buffer.byteLength(hostname)])]),
    ...(domainname === '' ? [] : [call('setdomainname', [domainname, Buffer.byteLength(domainname)])]),
  ];
}

/** openat2(2): not through a mount or a link, and not above where it starts. */
const RESOLVE_NO_XDEV_SYMLINKS_BENEATH = 0x01n | 0x04n | 0x08n;

/** By the descriptor of the proc that was mounted: what was mounted on it since, through a link of the image, is not written to. */
function sysctls(values: Readonly<Record<string, string>>): Step[] {
  return Object.entries(values).flatMap(([key, value], index) => {
    const file = slot(`sysctl-${index}`);
    const purpose = `write sysctl key ${key}`;
    return [
      openResolved(slot('proc'), `sys/${key.replaceAll('.', '/')}`, RESOLVE_NO_XDEV_SYMLINKS_BENEATH, {
        flags: O_WRONLY,
        save: file.slot,
        purpose,
      }),
      call('write', [file, value, Buffer.byteLength(value)], { purpose }),
    ];
  });
}

/** A new network namespace has `lo` and nothing else, and it is down: netdevice(7), struct ifreq. */
function loopbackUp(): Step[] {
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode('lo'));
  request[16] = IFF_UP;
  return [
    call('socket', [AF_INET, SOCK_DGRAM | O_CLOEXEC, 0], { save: 'loopback' }),
    call('ioctl', [slot('loopback'), SIOCSIFFLAGS, { bytes: request }]),
  ];
}
