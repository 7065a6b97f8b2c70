// What stands in /dev, and what of proc and sysfs a container may not see or change, as steps. Pure.
import { COMMON_DEVICES, DEVICE_LINKS, makeDevice } from '../launch/devices.ts';
import { changeTree, cloneTree, cloneTreeAt, MOUNT_ATTR, mount, MS, showTree } from '../launch/mounts.ts';
import { AT_FDCWD, freshSlot, makeDirectories } from '../launch/steps.ts';
import { call, slot, type Step } from '../model/launch-plan.ts';
import type { OciDevice } from '../model/oci-spec.ts';
import { makeFile, parentOf } from './mount-steps.ts';

/** What every container has, asked for or not (runtime-spec, config-linux.md, "Default Devices"). */
export const DEFAULT_DEVICES: readonly OciDevice[] = COMMON_DEVICES.map(([name, major, minor]) => ({
  type: 'c',
  path: `/dev/${name}`,
  major,
  minor,
  fileMode: 0o666,
  uid: 0,
  gid: 0,
}));

export interface DeviceSteps {
  readonly open: readonly Step[];
  readonly make: readonly Step[];
}

/** Nodes and links of /dev. In a user namespace nobody may make a node: the host's own is bound instead. */
export function deviceSteps(devices: readonly OciDevice[], mayMakeNodes: boolean): DeviceSteps {
  const own = devices.filter(({ path }) => !DEFAULT_DEVICES.some((one) => one.path === path));
  const all = [...DEFAULT_DEVICES, ...own];
  const links = DEVICE_LINKS.map(([name, target]) =>
    call('symlinkat', [target, AT_FDCWD, `/dev/${name}`], { mayFail: ['EEXIST'] }),
  );
  if (mayMakeNodes) return { open: [], make: [...all.flatMap(makeNode), ...links] };
  const bound = all.map(({ path }) => ({ path, tree: freshSlot('device') }));
  return {
    open: bound.map(({ path, tree }) => cloneTree(path, tree)),
    make: [...bound.flatMap(({ path, tree }) => [...makeFile(path), showTree(tree, path)]), ...links],
  };
}

function makeNode(device: OciDevice): Step[] {
  const { path, uid = 0, gid = 0 } = device;
  const isDeep = parentOf(path) !== '/dev';
  return [
    ...(isDeep ? makeDirectories(parentOf(path)) : []),
    makeDevice(device, { mayFail: ['EEXIST'], purpose: `error creating device node "${path}"` }),
    ...(uid === 0 && gid === 0 ? [] : [call('fchownat', [AT_FDCWD, path, uid, gid, 0x100])]),
  ];
}

/** /dev/console is the container's terminal: bound by the descriptor that was opened, not by a path that could be a link. */
export function consoleSteps(): Step[] {
  const tree = freshSlot('console');
  return [...makeFile('/dev/console'), cloneTreeAt(slot('tty'), '', tree), showTree(tree, '/dev/console')];
}

/** What stands at a path that is to be hidden; null where that is known only when it is tried. */
export interface MaskedPath {
  readonly path: string;
  readonly kind: 'file' | 'directory' | null;
}

/** The host's /dev/null, held before the root changes: what the container has at /dev/null is not to be trusted. */
const MASK = slot('mask');

export function openMask(paths: readonly MaskedPath[]): Step[] {
  return paths.some(({ kind }) => kind !== 'directory') ? [cloneTree('/dev/null', MASK)] : [];
}

/**
 * Hides paths: a file behind the null device, a directory behind an empty one. Where it is not known which it is, both are
 * tried: the kernel refuses to mount a file on a directory and the other way round. What is not there is fine.
 */
export function maskSteps(paths: readonly MaskedPath[]): Step[] {
  return paths.flatMap(({ path, kind }) => {
    const copy = freshSlot('mask');
    const purpose = `error masking "${path}"`;
    return [
      ...(kind === 'directory'
        ? []
        : [
            cloneTreeAt(MASK, '', copy, { purpose }),
            showTree(copy, path, { mayFail: kind === null ? ['ENOENT', 'ENOTDIR', 'EINVAL'] : ['ENOENT'], purpose }),
          ]),
      ...(kind === 'file'
        ? []
        : [
            mount('tmpfs', path, 'tmpfs', MS.RDONLY, undefined, {
              mayFail: kind === null ? ['ENOENT', 'ENOTDIR'] : ['ENOENT'],
              purpose,
            }),
          ]),
    ];
  });
}

/** Makes paths read-only, with all below: a bind of each on itself. */
export function readonlySteps(paths: readonly string[]): Step[] {
  return paths.flatMap((path) => {
    const tree = freshSlot('readonly');
    const purpose = `error making "${path}" read-only`;
    return [
      cloneTreeAt(AT_FDCWD, path, tree, { recursive: true, mayFail: ['ENOENT'], purpose }),
      // EBADF: there is nothing at the path, so nothing was opened.
      changeTree(tree, { set: MOUNT_ATTR.RDONLY, recursive: true }, { mayFail: ['EBADF'], purpose }),
      showTree(tree, path, { mayFail: ['EBADF', 'ENOENT'], purpose }),
    ];
  });
}
