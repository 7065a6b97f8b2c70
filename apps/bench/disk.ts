// Where everything is measured: an ext4 with a journal on a loop device, made and removed here. The machine's own root file
// system may be one without a journal, which costs 0.6 ms for each file created after deletions.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Disk {
  /** Its mount point. */
  readonly path: string;
  /** A directory on a tmpfs: sockets and what lives as long as the machine is up. */
  readonly run: string;
  remove(): void;
}

/** Sparse: takes what is written to it. */
const SIZE_BYTES = 8 * 2 ** 30;

export function makeDisk(): Disk {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-bench-'));
  const run = mkdtempSync('/dev/shm/drydock-bench-');
  const image = join(directory, 'disk.img');
  const path = join(directory, 'disk');
  let mounted = false;
  const remove = () => {
    if (mounted) execFileSync('umount', ['--recursive', path]);
    mounted = false;
    for (const folder of [run, directory]) rmSync(folder, { recursive: true, force: true });
  };
  try {
    mkdirSync(path);
    execFileSync('truncate', ['--size', String(SIZE_BYTES), image]);
    execFileSync('mkfs.ext4', ['-q', '-F', '-O', 'has_journal', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image]);
    execFileSync('mount', ['-o', 'loop', image, path]);
    mounted = true;
    return { path, run, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
