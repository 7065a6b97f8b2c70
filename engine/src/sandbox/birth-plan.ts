// The birth of a learner's sandbox, as a launch plan: four processes, each with the one right it needs. Pure.
//
//   keeper  root of the host; outside, stays: writes the first id map, waits, keeps
//   ground  root of the host in a mount namespace of its own: builds what the learner will see, then ends
//   outer   uid `base`: owns U1, the user namespace that bounds what the learner may make; then ends
//   init    pid 1 of the sandbox: all eight namespaces, owned by U2, the learner's user namespace
//
// `ground` mounts before `init` copies its mount namespace into a less privileged one: the kernel then locks those
// mounts together (mount_namespaces(7)), so that no root inside can take one away and see what is under it.
import { CLONE_NEW, NAMESPACE_TYPES } from '../model/namespace.ts';
import { call, slot, text, type LaunchPlan, type Step } from '../model/launch-plan.ts';
import { type Rlimit } from '../model/rlimits.ts';
import { COMMON_DEVICES, DEVICE_LINKS, makeDevice } from '../launch/devices.ts';
import { bindInto, cloneTree, idmap, mount, MS, showTree } from '../launch/mounts.ts';
import {
  AT_FDCWD,
  chownRoot,
  createFile,
  groups,
  makeDirectory,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  setIds,
  setRlimits,
  setSeccomp,
  writeFile,
} from '../launch/steps.ts';

export interface Birth {
  /** First host uid and gid of the learner's 65 536. */
  base: number;
  hostname: string;
  /** Empty host directory the ground is built on; only ever covered inside the plan's own mount namespace. */
  ground: string;
  /** The image's root file system, and the loop device that holds the learner's files. */
  rootfs: string;
  disk: string;
  /** Files shown read-only under /lesson. They are copied: a bind of a host directory would show its path in mountinfo. */
  lesson: readonly { name: string; text: string }[];
  /** Files to write "0" to, to join a cgroup: the keeper's, the learner's root group, and the leaf for processes. */
  groups: { keepers: readonly string[]; inner: readonly string[]; leaf: readonly string[] };
  /** cgroup hierarchies to show under /sys/fs/cgroup: v2 alone, or the v1 ones by their mount options. */
  hierarchies: readonly { name: string; type: 'cgroup' | 'cgroup2'; options: string }[];
  /** Limits of U1 (namespaces(7), /proc/sys/user): what one learner's namespaces may add up to. */
  userLimits: Readonly<Record<string, number>>;
  rlimits: readonly Rlimit[];
  /** Classic BPF program: sock_filter[]. */
  seccomp: Uint8Array;
}

/** security.md, setting 1: `max_*` of /proc/sys/user in U1. */
export const USER_LIMITS: Readonly<Record<string, number>> = {
  max_user_namespaces: 64,
  max_net_namespaces: 64,
  max_mnt_namespaces: 256,
  max_pid_namespaces: 128,
  max_ipc_namespaces: 128,
  max_uts_namespaces: 128,
  max_cgroup_namespaces: 128,
  max_time_namespaces: 16,
  max_inotify_instances: 512,
};

/** Directories of the learner's disk that replace the image's: an overlay's upper layer must not lie on an overlay. */
const FROM_DISK = ['root', 'home', 'tmp', 'srv'] as const;

const CLONE_PARENT = 0x8000n;
const ALL_NAMESPACES = NAMESPACE_TYPES.reduce((flags, type) => flags | BigInt(CLONE_NEW[type]), 0n);
const PR_SET_DUMPABLE = 4;
/** fsconfig(2), fsmount(2). */
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NOEXEC = 8;
const MOST_TERMINALS = 64;

/** What lessons need besides. */
const DEVICES = [...COMMON_DEVICES, ['fuse', 10, 229], ['net/tun', 10, 200]] as const;

function keeper({ groups: files, base }: Birth): Step[] {
  const keepers = groups('keepers', files.keepers);
  return [
    ...keepers.open,
    ...keepers.join,
    ...devpts(base),
    { kind: 'clone', flags: BigInt(CLONE_NEW.mnt), child: 'ground', save: 'ground' },
    { kind: 'await', gate: 'outer-unshared' },
    // Only a process with CAP_SETUID in the parent namespace may map a range: the host's root does it for U1.
    ...writeFile(text('/proc/', slot('outer'), '/uid_map'), `0 ${base} 65536\n`),
    ...writeFile(text('/proc/', slot('outer'), '/gid_map'), `0 ${base} 65536\n`),
    { kind: 'open', gate: 'outer-mapped' },
    { kind: 'wait', pid: slot('ground') },
    { kind: 'wait', pid: slot('outer') },
    { kind: 'keep', pid: slot('init') },
  ];
}

/**
 * The sandbox's terminals, mounted by nobody yet. Made in the host's own mount namespace, a devpts may also use the last
 * kernel.pty.reserve terminals of the machine (fs/devpts/inode.c, parse_mount_options); what a learner mounts may not:
 * one who takes all that he can get leaves the others theirs. `max` is his limit here, for he can't remount it.
 */
function devpts(base: number): Step[] {
  const set = (key: string, value: string) =>
    call('fsconfig', [slot('devpts-context'), FSCONFIG_SET_STRING, key, value, 0]);
  return [
    call('fsopen', ['devpts', 1], { save: 'devpts-context' }),
    set('source', 'devpts'),
    set('ptmxmode', '0666'),
    set('mode', '0620'),
    set('gid', String(base + 5)),
    set('max', String(MOST_TERMINALS)),
    call('fsconfig', [slot('devpts-context'), FSCONFIG_CMD_CREATE, null, null, 0]),
    call('fsmount', [slot('devpts-context'), 1, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC], { save: 'devpts' }),
  ];
}

function ground(birth: Birth): Step[] {
  const { base, rootfs, disk } = birth;
  return [
    // Opened here, where the host's paths are in sight, for `outer` and `init` to join.
    ...groups('inner', birth.groups.inner).open,
    ...groups('leaf', birth.groups.leaf).open,
    // Before anything is mounted: or the mounts would show on the host.
    mount(null, '/', null, MS.REC | MS.PRIVATE),
    { kind: 'clone', flags: CLONE_PARENT, child: 'outer', save: 'outer' },
    mount('tmpfs', birth.ground, 'tmpfs', MS.NOSUID | MS.NODEV, 'mode=0755,size=1m'),
    call('chdir', [birth.ground]),
    call('umask', [0]),
    ...['disk', 'lower', 'merged', 'dev', 'lesson'].map((name) => makeDirectory(name)),

    mount(disk, 'disk', 'ext4', MS.NODEV | MS.NOATIME),
    ...['upper', 'work', ...FROM_DISK].flatMap((name) => [
      { ...makeDirectory(`disk/${name}`, name === 'tmp' ? 0o1777 : 0o755), mayFail: ['EEXIST'] },
      ...chownRoot(`disk/${name}`, base),
    ]),

    // The image keeps its owners 0..65535 on the host's disk; through this mount they are base..base+65535.
    { kind: 'await', gate: 'outer-mapped' },
    call('openat', [AT_FDCWD, text('/proc/', slot('outer'), '/ns/user'), O_CLOEXEC], { save: 'outer-userns' }),
    cloneTree(rootfs, slot('lower')),
    idmap(slot('lower'), slot('outer-userns')),
    showTree(slot('lower'), 'lower'),
    mount('overlay', 'merged', 'overlay', MS.NODEV, 'lowerdir=lower,upperdir=disk/upper,workdir=disk/work'),
    call('openat', [AT_FDCWD, 'merged', O_PATH | O_DIRECTORY | O_CLOEXEC], { save: 'merged' }),

    ...devices(base),
    ...bindInto('dev', slot('merged'), 'dev'),
    showTree(slot('devpts'), 'merged/dev/pts'),
    ...FROM_DISK.flatMap((name) => bindInto(`disk/${name}`, slot('merged'), name)),
    ...lessonFiles(birth),
    { ...makeDirectory('merged/lesson'), mayFail: ['EEXIST'] },
    ...bindInto('lesson', slot('merged'), 'lesson', { readOnly: true }),
    { kind: 'open', gate: 'built' },
  ];
}

function lessonFiles({ base, lesson }: Birth): Step[] {
  return [
    mount('tmpfs', 'lesson', 'tmpfs', MS.NOSUID | MS.NODEV, 'mode=0755,size=8m'),
    ...lesson.flatMap(({ name, text: content }) => [
      ...createFile(`lesson/${name}`, content),
      ...chownRoot(`lesson/${name}`, base),
    ]),
    ...chownRoot('lesson', base),
  ];
}

function devices(base: number): Step[] {
  const owned = (path: string, make: Step): Step[] => [make, ...chownRoot(path, base)];
  return [
    mount('tmpfs', 'dev', 'tmpfs', MS.NOSUID | MS.NOEXEC, 'mode=0755,size=64k'),
    ...chownRoot('dev', base),
    ...['pts', 'shm', 'mqueue', 'net'].flatMap((name) => owned(`dev/${name}`, makeDirectory(`dev/${name}`))),
    ...DEVICES.flatMap(([name, major, minor]) =>
      owned(`dev/${name}`, makeDevice({ type: 'c', path: `dev/${name}`, major, minor })),
    ),
    ...DEVICE_LINKS.flatMap(([name, target]) =>
      owned(`dev/${name}`, call('symlinkat', [target, AT_FDCWD, `dev/${name}`])),
    ),
  ];
}

function outer({ base, userLimits, groups: files }: Birth): Step[] {
  return [
    // The euid that makes a user namespace is charged for what is made in it: the learner's, not root's.
    ...setIds(base),
    call('prctl', [PR_SET_DUMPABLE, 1]),
    call('unshare', [CLONE_NEW.user]),
    { kind: 'open', gate: 'outer-unshared' },
    { kind: 'await', gate: 'outer-mapped' },
    ...setIds(0),
    // A change of ids makes /proc/PID root's (proc_pid(5)): without this, `init`'s maps could not be written below.
    call('prctl', [PR_SET_DUMPABLE, 1]),
    ...Object.entries(userLimits).flatMap(([name, limit]) => writeFile(`/proc/sys/user/${name}`, `${limit}\n`)),
    { kind: 'await', gate: 'built' },
    // `ground` never joins: the learner's devices group lets nobody mount a disk or make a node.
    ...groups('inner', files.inner).join,
    { kind: 'clone', flags: ALL_NAMESPACES | CLONE_PARENT, child: 'init', save: 'init' },
    // By a process in U1: the host's root gets EPERM here, for the parent namespace is U1.
    ...writeFile(text('/proc/', slot('init'), '/uid_map'), '0 0 65536\n'),
    ...writeFile(text('/proc/', slot('init'), '/gid_map'), '0 0 65536\n'),
    { kind: 'open', gate: 'init-mapped' },
  ];
}

function init(birth: Birth): Step[] {
  const { hierarchies, hostname } = birth;
  const quiet = MS.NOSUID | MS.NOEXEC | MS.NODEV;
  const merged = `${birth.ground}/merged`;
  const cgroups: Step[] =
    hierarchies.length === 1 && hierarchies[0]?.type === 'cgroup2'
      ? [mount('cgroup2', 'sys/fs/cgroup', 'cgroup2', quiet)]
      : [
          mount('tmpfs', 'sys/fs/cgroup', 'tmpfs', quiet, 'mode=0755,size=64k'),
          ...hierarchies.flatMap(({ name, type, options }) => [
            makeDirectory(`sys/fs/cgroup/${name}`),
            mount(type, `sys/fs/cgroup/${name}`, type, quiet, options),
          ]),
        ];
  return [
    { kind: 'await', gate: 'init-mapped' },
    ...setIds(0),
    // After the namespace was made, so that its root is the group above the leaf.
    ...groups('leaf', birth.groups.leaf).join,
    call('sethostname', [hostname, Buffer.byteLength(hostname)]),
    mount(null, '/', null, MS.REC | MS.PRIVATE),
    // A copied mount is locked and can't be pivoted to; a bind of it is not (pivot_root(2), EINVAL).
    mount(merged, merged, null, MS.BIND | MS.REC),
    call('chdir', [merged]),
    // While the host's proc is still in sight: a new one needs a fully visible one (mount_too_revealing).
    mount('proc', 'proc', 'proc', quiet),
    mount('sysfs', 'sys', 'sysfs', quiet),
    ...cgroups,
    mount('shm', 'dev/shm', 'tmpfs', MS.NOSUID | MS.NODEV, 'mode=1777,size=64m'),
    mount('mqueue', 'dev/mqueue', 'mqueue', quiet),
    mount('tmpfs', 'run', 'tmpfs', MS.NOSUID | MS.NODEV, 'mode=0755,size=16m'),
    call('pivot_root', ['.', '.']),
    // The old root lies over the new one, at the same place: "." is the old root until it is detached.
    call('umount2', ['.', 2]),
    call('chdir', ['/']),
    call('umask', [0o022]),
    call('setsid'),
    ...setRlimits(birth.rlimits),
    ...setSeccomp(birth.seccomp),
    { kind: 'init' },
  ];
}

/** The whole plan. Errors are the runner's: SysError with call, errno and target of the step that failed. */
export function birthPlan(birth: Birth): LaunchPlan {
  return {
    start: 'keeper',
    blocks: { keeper: keeper(birth), ground: ground(birth), outer: outer(birth), init: init(birth) },
  };
}
