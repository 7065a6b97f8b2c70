// The mounts of config.json as steps, in two parts: what must be opened while the host's paths are in sight, and what is
// then mounted inside the new root. Pure.
import {
  changeTree,
  cloneTree,
  cloneTreeAt,
  mount,
  MOUNT_ATTR,
  MS,
  openResolved,
  showTree,
  type TreeChange,
} from '../launch/mounts.ts';
import { AT_FDCWD, makeDirectories, O_CLOEXEC } from '../launch/steps.ts';
import type { CgroupHost } from '../model/cgroup-host.ts';
import { EngineError } from '../model/engine-error.ts';
import { call, type Slot, slot, type Step } from '../model/launch-plan.ts';
import { CLONE_NEW } from '../model/namespace.ts';
import type { OciMount } from '../model/oci-spec.ts';
import { type MountOptions, parseMountOptions } from './mount-options.ts';

export interface MountSteps {
  /** Before the root is changed. */
  readonly open: readonly Step[];
  /** After. */
  readonly show: readonly Step[];
}

export interface MountContext {
  readonly cgroups: CgroupHost;
  /** v1: the directories of the container's groups; not every hierarchy need have one. */
  readonly groups: readonly string[];
  /** Host paths of binds that are files: their targets are made as files. */
  readonly files: ReadonlySet<string>;
}

const RESOLVE_NO_SYMLINKS = 0x04n;
const S_IFREG = 0o100000;

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('/')) || '/';
const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** An empty file to mount something on. mknod(2) follows no link at the end of the path and touches nothing that exists. */
export function makeFile(path: string): Step[] {
  return [
    ...makeDirectories(parentOf(path)),
    call('mknodat', [AT_FDCWD, path, S_IFREG | 0o755, 0], { mayFail: ['EEXIST'] }),
  ];
}

/** In the order of config.json: a mount may lie on an earlier one. */
export function mountSteps(mounts: readonly OciMount[], context: MountContext): MountSteps {
  const all = mounts.map((one, index) => {
    const options = parseMountOptions(one.options ?? []);
    checkInsideProc(one);
    if (options.bind || one.type === 'bind') return bind(one, options, slot(`bind-${index}`), context);
    if (one.type === 'cgroup' || one.type === 'cgroup2') return controlGroups(one, options, context);
    return fileSystem(one, options);
  });
  return { open: all.flatMap(({ open }) => open), show: all.flatMap(({ show }) => show) };
}

/** What may be mounted over a file of proc: the numbers that lxcfs gives. Anything else would lie about the kernel. */
const PROC_FILES = 'cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo net/dev sys/kernel/ns_last_pid'.split(
  ' ',
);

function checkInsideProc({ destination, type }: OciMount): void {
  const path = destination.replaceAll(/\/+/g, '/');
  const isProc = path === '/proc' && type !== 'proc';
  const isBelow = path.startsWith('/proc/') && !PROC_FILES.includes(path.slice('/proc/'.length));
  if (isProc || isBelow)
    throw new EngineError(
      'invalid_argument',
      `"${destination}" cannot be mounted because it ${isProc ? 'is not of type proc' : 'is inside /proc'}`,
    );
}

const failing = ({ source, type, destination }: OciMount): string =>
  `error mounting "${source ?? type ?? 'none'}" to rootfs at "${destination}"`;

function fileSystem(one: OciMount, options: MountOptions): MountSteps {
  const { destination, type = 'none', source = type } = one;
  const purpose = failing(one);
  const isKernelTree = type === 'proc' || type === 'sysfs';
  return {
    open: [],
    show: [
      ...makeDirectories(destination),
      // Through a link the kernel's tree would stand elsewhere, and what is masked at /proc would not be masked there.
      ...(isKernelTree
        ? [openResolved(AT_FDCWD, destination, RESOLVE_NO_SYMLINKS, { purpose: `${purpose}: it must be a directory` })]
        : []),
      mount(source, destination, type, options.flags, options.data === '' ? undefined : options.data, { purpose }),
      ...spread(destination, options, purpose),
      // Held for the sysctls: what is mounted on it later does not change what this descriptor shows.
      ...(type === 'proc' ? [call('openat', [AT_FDCWD, destination, O_CLOEXEC], { save: 'proc' })] : []),
    ],
  };
}

function spread(path: string, { propagation }: MountOptions, purpose: string): Step[] {
  if (propagation === null) return [];
  return [mount(null, path, null, propagation.kind | (propagation.recursive ? MS.REC : 0), undefined, { purpose })];
}

function bind(one: OciMount, options: MountOptions, tree: Slot, { files }: MountContext): MountSteps {
  const { destination, source = '' } = one;
  const purpose = failing(one);
  const isFile = files.has(source);
  return {
    open: [
      ...openSource(source, options.recursive, tree, purpose),
      ...changes(options).map((change) => changeTree(tree, change, { purpose })),
    ],
    show: [
      ...(isFile ? makeFile(destination) : makeDirectories(destination)),
      // A file covers a link (an image's /etc/resolv.conf may lead nowhere); a directory goes where the link leads, inside.
      showTree(tree, destination, { follow: !isFile, purpose }),
    ],
  };
}

/** Another container's file lies in its mount namespace: a mount can be copied only by who is in it (open_tree(2), EINVAL). */
export const OTHER_ROOT = /^\/proc\/(\d+)\/root(\/.*)$/;

export function openSource(source: string, recursive: boolean, tree: Slot, purpose: string): Step[] {
  const [, pid, path] = OTHER_ROOT.exec(source) ?? [];
  if (pid === undefined || path === undefined) return [cloneTree(source, tree, { recursive, purpose })];
  const join = (name: string) => call('setns', [slot(`${tree.slot}-${name}`), CLONE_NEW.mnt], { purpose });
  const open = (of: string, name: string) =>
    call('openat', [AT_FDCWD, `/proc/${of}/ns/mnt`, O_CLOEXEC], { save: `${tree.slot}-${name}`, purpose });
  return [
    open('self', 'own'),
    open(pid, 'other'),
    join('other'),
    // Its paths are its own business: no link is followed at the end, and none leads out of its root.
    cloneTreeAt(AT_FDCWD, path, tree, { recursive, purpose }),
    join('own'),
  ];
}

function changes(options: MountOptions): TreeChange[] {
  const { set, clear, recursiveReadOnly, propagation } = options;
  return [
    ...(set === 0n && clear === 0n ? [] : [{ set, clear }]),
    ...(recursiveReadOnly ? [{ set: MOUNT_ATTR.RDONLY, recursive: true }] : []),
    ...(propagation === null ? [] : [{ propagation: propagation.kind, recursive: propagation.recursive }]),
  ];
}

/**
 * v2: the tree, seen from the container's cgroup namespace. v1: a tmpfs with the container's group of each hierarchy, and
 * a link for each controller that shares one. Bound from the host's mounts: a new mount of each would cost a new super block.
 */
function controlGroups(one: OciMount, options: MountOptions, { cgroups, groups }: MountContext): MountSteps {
  const { destination } = one;
  const purpose = failing(one);
  const { flags } = options;
  if (cgroups.flavour === 'v2')
    return {
      open: [],
      show: [
        ...makeDirectories(destination),
        mount('cgroup', destination, 'cgroup2', flags, undefined, { purpose }),
        ...spread(destination, options, purpose),
      ],
    };
  const shown = cgroups.hierarchies.flatMap(({ controllers, mountPoint }, index) => {
    const source = groups.find((group) => group.startsWith(`${mountPoint}/`));
    if (source === undefined) return [];
    return {
      controllers: controllers.map((name) => name.replace('name=', '')),
      source,
      target: `${destination}/${baseName(mountPoint)}`,
      tree: slot(`hierarchy-${index}`),
    };
  });
  const quiet = MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC;
  return {
    open: shown.flatMap(({ source, tree }) => [
      cloneTree(source, tree, { purpose }),
      changeTree(tree, { set: options.set | quiet, propagation: MS.PRIVATE }, { purpose }),
    ]),
    show: [
      ...makeDirectories(destination),
      mount('tmpfs', destination, 'tmpfs', flags & ~MS.RDONLY, 'mode=755', { purpose }),
      ...shown.flatMap(({ target, tree, controllers }) => [
        call('mkdirat', [AT_FDCWD, target, 0o755]),
        showTree(tree, target, { purpose }),
        ...controllers
          .filter((name) => name !== baseName(target))
          .map((name) => call('symlinkat', [baseName(target), AT_FDCWD, `${destination}/${name}`])),
      ]),
      ...(flags & MS.RDONLY ? [changeTree(AT_FDCWD, { set: MOUNT_ATTR.RDONLY }, { path: destination, purpose })] : []),
    ],
  };
}
