// Writes planned control group files in order: those of sandboxes and of containers, on v1 and v2.
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { ContainerWrite } from '../../model/container-cgroup-plan.ts';
import { SysError } from '../../model/engine-error.ts';
import { touched } from '../trace.ts';
import { HINTS, errnoOf } from './files.ts';

interface OpenFile {
  /** As planned; what was opened may be the other one. */
  readonly planned: string;
  readonly path: string;
  readonly fd: number;
  readonly other: boolean;
}

/**
 * Writes one after the other; those that follow each other into the same file share a descriptor (a device list has a
 * dozen: 2 µs each, 13 µs with an open of its own). `directoryOf` gives the group in the controller's hierarchy, null where
 * it is not mounted. Throws SysError for the first that the kernel refuses.
 */
export function writePlan(directoryOf: (controller: string) => string | null, writes: readonly ContainerWrite[]): void {
  let file: OpenFile | null = null;
  try {
    for (const write of writes) {
      const directory = directoryOf(write.controller) ?? (write.mayLack ? null : `/sys/fs/cgroup/${write.controller}`);
      if (directory === null) continue;
      if (file?.planned !== join(directory, write.file)) {
        if (file) closeSync(file.fd);
        file = open(directory, write);
      }
      if (file) put(file, write);
    }
  } finally {
    if (file) closeSync(file.fd);
  }
}

/** Null: the kernel lacks the file, and may. */
function open(directory: string, { file, otherwise, mayLack }: ContainerWrite): OpenFile | null {
  const planned = join(directory, file);
  for (const name of otherwise ? [file, otherwise.file] : [file]) {
    const path = join(directory, name);
    try {
      // Without O_CREAT: a missing file must read ENOENT, not EACCES.
      return { planned, path, fd: openSync(path, constants.O_WRONLY), other: name !== file };
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw refused(path, error);
    }
  }
  if (mayLack) return null;
  throw new SysError('write', 'ENOENT', planned, HINTS['ENOENT']);
}

function put({ path, fd, other }: OpenFile, { value, otherwise }: ContainerWrite): void {
  const written = other && otherwise ? otherwise.value : value;
  try {
    const args = [path, written].map((text) => JSON.stringify(text));
    touched({ kind: 'write', name: 'write', args }, () => writeSync(fd, written, 0), errnoOf);
  } catch (error) {
    throw refused(path, error);
  }
}

function refused(path: string, error: unknown): SysError {
  const errno = errnoOf(error);
  return new SysError('write', errno, path, HINTS[errno]);
}
