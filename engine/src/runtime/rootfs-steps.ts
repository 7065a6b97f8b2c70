// The container's root file system as steps: mounted where only this container sees it, and made its root. Pure.
import { cloneTree, mount, MS, showTree } from '../launch/mounts.ts';
import { freshSlot } from '../launch/steps.ts';
import type { RootfsMount } from '../image/graph-driver.ts';
import { overlayOptions } from '../image/overlay-options.ts';
import { call, type Step } from '../model/launch-plan.ts';
import { parsePropagation } from './mount-options.ts';

const MNT_DETACH = 2;

/**
 * Nothing that is mounted from here on reaches the host, and what the host mounts later reaches the container only where
 * a bind asked for it: the copy of the host's mounts that CLONE_NEWNS made becomes their slave (mount_namespaces(7)).
 */
export function leaveHostMounts(): Step {
  return mount(null, '/', null, MS.REC | MS.SLAVE);
}

/** Mounts the root file system over the empty directory `ground`, in this mount namespace only. */
export function mountRootfs(rootfs: RootfsMount, ground: string): Step[] {
  const purpose = `mount the root file system at "${ground}"`;
  if (rootfs.kind === 'directory') {
    const tree = freshSlot('rootfs');
    return [cloneTree(rootfs.path, tree, { recursive: true, purpose }), showTree(tree, ground, { purpose })];
  }
  const { directory, options } = overlayOptions(rootfs);
  const near = directory === null ? [] : [call('chdir', [directory])];
  return [...near, mount('overlay', ground, 'overlay', 0, options, { purpose })];
}

/**
 * From here on no path of the host's can be named, whatever links the image holds: every mount, node and directory that
 * follows is made inside. "." twice (pivot_root(2), NOTES): the old root lies over the new one, at the same place, until
 * it is detached; no directory in the image is needed to hold it.
 */
export function enterRootfs(ground: string, propagation: string | undefined): Step[] {
  const spread = propagation === undefined ? null : parsePropagation(propagation);
  return [
    call('chdir', [ground]),
    call('pivot_root', ['.', '.']),
    call('umount2', ['.', MNT_DETACH]),
    call('chdir', ['/']),
    ...(spread === null ? [] : [mount(null, '/', null, spread.kind | (spread.recursive ? MS.REC : 0))]),
  ];
}
