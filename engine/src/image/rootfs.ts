// A root file system opened for the engine's own use: read by commit, diff and export, written by cp. It is never mounted
// where another process could see it.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { O_PATH, withFd } from '../kernel/at.ts';
import { type ByteString, bytes, shown } from '../kernel/byte-string.ts';
import {
  type Overlay,
  attach,
  attachedForAMoment,
  cloneMount,
  makePrivate,
  makeReadOnly,
  mountOverlay,
} from '../kernel/detached-mount.ts';
import { Rooted } from '../kernel/rooted.ts';
import { isDirectory, statOf } from '../kernel/stat.ts';
import { SysError } from '../model/engine-error.ts';
import type { RootfsMount } from './graph-driver.ts';

export interface ShownMount {
  /** Absolute in the container. */
  readonly destination: string;
  /** A directory or file of the host. */
  readonly source: string;
  readonly readOnly: boolean;
}

export interface OpenOptions {
  /** Without it nothing can be written, and the writable layer may be in use by a container. */
  readonly write?: boolean;
  /** Lie over the root file system, in this order. Places that lack are made, so `write` must be set. */
  readonly mounts?: readonly ShownMount[];
  /** The way of kernels before 6.15, also on newer ones: for tests. */
  readonly attached?: boolean;
}

/** As an overlay of which the writable layer is only the topmost of those that are read. */
export function readOnlyView(mount: Extract<RootfsMount, { kind: 'overlay' }>): Overlay {
  const { lower, writable, options } = mount;
  return {
    lower: writable === undefined ? lower : [writable.upper, ...lower],
    options: options.filter((option) => option !== 'volatile'),
  };
}

/** Opens it. The caller closes it, which unmounts it. `scratch`: a directory of the engine's own for kernels before 6.7. */
export function openRootfs(mount: RootfsMount, scratch: string, options: OpenOptions = {}): Rooted {
  const mounts = options.mounts ?? [];
  if (mount.kind === 'directory') {
    if (mounts.length === 0) return Rooted.at(mount.path);
    return withMounts(cloneMount(mount.path), scratch, options);
  }
  mkdirSync(scratch, { recursive: true });
  const overlay = options.write === true ? mount : readOnlyView(mount);
  return withMounts(mountOverlay(overlay, scratch), scratch, options);
}

function withMounts(tree: number, scratch: string, options: OpenOptions): Rooted {
  const { mounts = [], attached = false } = options;
  const root = new Rooted(tree);
  try {
    if (!attached && mounts.every((mount) => showMount(root, mount))) return root;
    // A kernel before 6.15: once more, in a tree that is attached meanwhile.
    mkdirSync(scratch, { recursive: true });
    const whole = attachedForAMoment(tree, scratch, () => {
      for (const mount of mounts)
        if (!showMount(root, mount)) throw new SysError('move_mount', 'EINVAL', mount.destination);
    });
    root.close();
    return new Rooted(whole);
  } catch (error) {
    root.close();
    throw error;
  }
}

function showMount(root: Rooted, { destination, source, readOnly }: ShownMount): boolean {
  const tree = cloneMount(source, true);
  return withFd(tree, () => {
    makePrivate(tree, destination);
    if (readOnly) makeReadOnly(tree, destination);
    const place = placeFor(root, bytes(destination), isDirectory(statOf(tree, source)));
    return withFd(place, () => attach(tree, place, destination));
  });
}

/** The directory or file that a mount goes over; made where it lacks, as it is when the container starts. */
function placeFor(root: Rooted, destination: ByteString, directory: boolean): number {
  if (root.stat(destination) === null) {
    if (directory) root.mkdirs(destination);
    else {
      root.mkdirs(bytes(join(shown(destination), '..')));
      root.writeFile(destination, Buffer.alloc(0));
    }
  }
  return root.open(destination, O_PATH);
}

/** Runs with the root file system of a running container (its first process), or, where `pid` is null, of one at rest. */
export async function withRootfs<T>(
  mount: RootfsMount,
  pid: number | null,
  scratch: string,
  action: (root: Rooted) => T | Promise<T>,
): Promise<T> {
  const root = pid === null ? openRootfs(mount, scratch) : Rooted.ofProcess(pid);
  try {
    return await action(root);
  } finally {
    root.close();
  }
}
