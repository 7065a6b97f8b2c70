// The first use of a volume: what the image has at its place is copied into it, with owners, modes, times, links and
// extended attributes. The image's files are seen in a mount namespace of its own, so the host never has them mounted.
import { closeSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RootfsMount } from '../image/graph-driver.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { EngineError, SysError } from '../model/engine-error.ts';
import { call, type LaunchPlan, slot } from '../model/launch-plan.ts';
import { leaveHostMounts, mountRootfs } from '../runtime/rootfs-steps.ts';

const CLONE_NEWNS = 0x0002_0000n;
const AT_FDCWD = -100;
const O_CLOEXEC = 0o2000000;
const CLOSE_RANGE_CLOEXEC = 4;
const O_PATH = 0o10000000;
/** openat2(2): links of the image are followed inside the image only. */
const RESOLVE_IN_ROOT = 0x10n;
/** A hang guard: a large image on a slow disk takes minutes. */
const TIMEOUT_MS = 600_000;

/** Copies `path` of the root file system into an empty directory. cp's own words come out of `errors`. */
function copyPlan(rootfs: RootfsMount, at: string, path: string, directory: string): LaunchPlan {
  const how = new Uint8Array(24);
  new DataView(how.buffer).setBigUint64(0, BigInt(O_PATH | O_CLOEXEC), true);
  new DataView(how.buffer).setBigUint64(16, RESOLVE_IN_ROOT, true);
  return {
    start: 'wait',
    blocks: {
      wait: [
        { kind: 'clone', flags: CLONE_NEWNS, child: 'copy', save: 'copy' },
        { kind: 'wait', pid: slot('copy') },
      ],
      copy: [
        leaveHostMounts(),
        ...mountRootfs(rootfs, at),
        call('openat', [AT_FDCWD, at, O_PATH | O_CLOEXEC], { save: 'root' }),
        call('openat2', [slot('root'), path, { struct: how, patches: [] }, how.length], { save: 'source' }),
        // ENOTDIR: a file is there; fchdir is where that shows.
        call('fchdir', [slot('source')]),
        call('dup3', [{ given: 'errors' }, 2, 0]),
        call('close_range', [3, 0xffff_ffff, CLOSE_RANGE_CLOEXEC]),
        // "." and not "*": owner, mode and times of the directory itself come along.
        call('execve', ['/bin/cp', { strings: ['cp', '-a', '.', directory] }, { strings: ['LC_ALL=C'] }]),
      ],
    },
  };
}

/** Takes away what the copies of a daemon that was killed left in `scratches`. */
export const collectCopies = (scratches: string): void => rmSync(scratches, { recursive: true, force: true });

/**
 * Fills `directory` from the root file system's `path` if it is empty. An image that has nothing there fills nothing.
 * `scratches`: where each copy has a directory while it lasts.
 */
export async function copyIn(
  kernel: Kernel,
  scratches: string,
  rootfs: RootfsMount,
  path: string,
  directory: string,
): Promise<void> {
  if (readdirSync(directory).length > 0) return;
  mkdirSync(scratches, { recursive: true });
  const scratch = mkdtempSync(join(scratches, 'copy-'));
  const errorsPath = join(scratch, 'errors');
  const errors = openSync(errorsPath, 'a');
  try {
    const plan = copyPlan(rootfs, scratch, path, directory);
    await kernel.run(plan, { descriptors: { errors }, timeoutMs: TIMEOUT_MS });
  } catch (error) {
    if (!(error instanceof SysError)) throw error;
    if (error.syscall === 'openat2' && error.errno === 'ENOENT') return;
    if (error.errno === 'ENOTDIR')
      throw new EngineError('internal', `cannot mount volume over existing file, file exists ${path}`);
    // It was empty before: half a copy would be taken for the user's data the next time.
    for (const name of readdirSync(directory)) rmSync(join(directory, name), { recursive: true, force: true });
    const said = readFileSync(errorsPath, 'utf8').trim() || error.message;
    throw new EngineError('internal', `Cannot copy "${path}" of the image into the volume at "${directory}": ${said}`, {
      cause: error,
    });
  } finally {
    closeSync(errors);
    rmSync(scratch, { recursive: true, force: true });
  }
}
