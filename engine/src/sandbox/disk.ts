// A learner's disk: one ext4 image file, sparse, as large as the limit says. Its size is the learner's disk limit.
import { execFile } from 'node:child_process';
import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { EngineError } from '../model/engine-error.ts';

const run = promisify(execFile);

/** security.md, setting 12: the host keeps so much of its disk free. */
const KEPT_FREE = 0.1;

/**
 * Makes an empty file system in a new sparse file: 12 ms and 1.2 MB of real disk. Written beside and renamed, so there is
 * never half a disk. Throws unavailable when the host's disk is nearly full, or mke2fs is missing.
 */
export async function makeDisk(image: string, sizeBytes: number): Promise<void> {
  const { bavail, blocks } = statfsSync(dirname(image));
  if (bavail < blocks * KEPT_FREE)
    throw new EngineError(
      'unavailable',
      `Cannot make disk "${image}": less than 10 % of the host's disk is free; free some first`,
    );
  const fresh = `${image}.new`;
  rmSync(fresh, { force: true });
  const file = openSync(fresh, 'wx', 0o600);
  ftruncateSync(file, sizeBytes);
  try {
    // Blocks of 4 KiB also on a small disk: the loop device has sectors of that size. No reserved blocks: they are for the host's root, who does not live on this disk. Tables are zeroed by the kernel later.
    const options = [
      '-q',
      '-F',
      '-t',
      'ext4',
      '-b',
      '4096',
      '-m',
      '0',
      '-E',
      'lazy_itable_init=1,lazy_journal_init=1,nodiscard',
    ];
    await run('mke2fs', [...options, fresh]).catch((error: unknown) => {
      throw new EngineError('unavailable', `Cannot make disk "${image}": mke2fs failed; is e2fsprogs installed?`, {
        cause: error,
      });
    });
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, image);
}

/** Bytes the image really takes on the host's disk. */
export function diskUse(image: string): number {
  return statSync(image).blocks * 512;
}
