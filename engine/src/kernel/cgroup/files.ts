// Reads, writes, makes and removes control group files and directories, each failure a SysError that says what to do.
// kernfs answers from memory: these calls are synchronous because none of them waits for a disk.
import { chownSync, mkdirSync, readFileSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SysError } from '../../model/engine-error.ts';
import { touched } from '../trace.ts';

/** What an errno of a control group file means, and what to do. */
export const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'the control group tree is mounted read-only here',
  EACCES: 'only root, or the owner the group was delegated to, may write there',
  EAGAIN: 'the tree has as many groups, or is as deep, as its limits allow',
  EINVAL: 'the kernel does not take this value here; a child may not have more than its parent',
  ENOENT: 'the group is gone, or the kernel was built or started without this controller',
  ENODEV: 'there is no such device, or this controller does not bound it',
};

export function errnoOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';
}

function tried<T>(syscall: string, path: string, run: () => T, hint?: string, value?: string): T {
  const args = [path, ...(value === undefined ? [] : [value])].map((text) => JSON.stringify(text));
  try {
    return touched({ kind: syscall === 'write' ? 'write' : 'call', name: syscall, args }, run, errnoOf);
  } catch (error) {
    const errno = errnoOf(error);
    throw new SysError(syscall, errno, path, hint ?? HINTS[errno]);
  }
}

/** Makes one group; one that is there already is kept. Returns whether it was made. */
export function makeGroup(path: string): boolean {
  return tried('mkdir', path, () => mkdirSync(path, { recursive: true, mode: 0o755 })) !== undefined;
}

export function writeGroupFile(path: string, value: string, hint?: string): void {
  // O_WRONLY without O_CREAT: a missing file must read ENOENT, not EACCES.
  tried('write', path, () => writeFileSync(path, value, { flag: 'r+' }), hint, value);
}

export function readGroupFile(path: string): string {
  return tried('read', path, () => readFileSync(path, 'utf8'));
}

/** Gives files of a group, and the directory itself, to a learner's root. Files the kernel lacks are passed over. */
export function chownGroup(path: string, files: readonly string[], uid: number): void {
  tried('chown', path, () => chownSync(path, uid, uid));
  for (const file of files) {
    const target = join(path, file);
    tried('chown', target, () => {
      try {
        chownSync(target, uid, uid);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
      }
    });
  }
}

/** Numbers of a flat keyed file ("oom_kill 3"); a file that is not there has none. */
export function readKeyed(path: string): Map<string, number> {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'ENAMETOOLONG'].includes(errnoOf(error))) return new Map();
    throw new SysError('read', errnoOf(error), path);
  }
  return new Map(
    content.split('\n').flatMap((line) => {
      const [key, value] = line.split(' ');
      return key && value ? [[key, Number(value)] as const] : [];
    }),
  );
}

/** The one number of a file; "max" is Infinity, a file that is not there null. */
export function readNumber(path: string): number | null {
  try {
    const content = readFileSync(path, 'utf8').trim();
    return content === 'max' ? Number.POSITIVE_INFINITY : Number(content);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return null;
    throw new SysError('read', errnoOf(error), path);
  }
}

/** Longer paths reach PATH_MAX (4096 bytes) with the name of a file added. */
const LONGEST_PATH_BYTES = 3500;

/** False: too long a path, or a name that is no UTF-8. Both are a learner's choice; `removeBelow` finds such groups too. */
export function isReachable(path: string): boolean {
  return Buffer.byteLength(path) <= LONGEST_PATH_BYTES && !path.includes('\uFFFD');
}

/**
 * A group and all groups below it, parents first, at most `most` of them: a learner decides how many there are. What is not
 * reachable is named, and nothing below it.
 */
export function walkGroups(path: string, most: number): string[] {
  const found = [path];
  for (let index = 0; index < found.length && found.length < most; index += 1) {
    const parent = found[index] ?? '';
    if (!isReachable(parent)) continue;
    for (const name of childGroups(parent)) {
      if (found.length >= most) break;
      found.push(join(parent, name));
    }
  }
  return found;
}

/** Names of the groups right below one; none when it is gone. */
export function childGroups(path: string): string[] {
  try {
    // kernfs counts a directory's links: two, and one for each directory in it. 3 µs instead of 50 for its many files.
    if (statSync(path).nlink === 2) return [];
    return readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENODEV') return [];
    throw new SysError('readdir', errnoOf(error), path);
  }
}

/** Process ids in a group itself. A threaded group answers EOPNOTSUPP: its domain lists the processes. */
export function readProcesses(path: string): number[] {
  try {
    return readFileSync(join(path, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  } catch (error) {
    if (['ENOENT', 'ENODEV', 'EOPNOTSUPP', 'ENOTSUP', 'ENAMETOOLONG'].includes(errnoOf(error))) return [];
    throw new SysError('read', errnoOf(error), join(path, 'cgroup.procs'));
  }
}

/** Who runs in a group decides how many there are below it: more are not looked at. */
const MOST_GROUPS = 8192;

/** Process ids in a group and the groups below it. */
export function processesBelow(path: string): number[] {
  return [...new Set(walkGroups(path, MOST_GROUPS).flatMap(readProcesses))];
}

/** Removes one group without children. False: it still holds a process or a group (EBUSY). Gone already is removed. */
export function removeGroup(path: string | Buffer): boolean {
  try {
    touched({ kind: 'call', name: 'rmdir', args: [JSON.stringify(path.toString())] }, () => rmdirSync(path), errnoOf);
    return true;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return true;
    if (errno === 'EBUSY' || errno === 'ENOTEMPTY') return false;
    throw new SysError('rmdir', errno, path.toString(), HINTS[errno]);
  }
}

/** Waits until `reached` is true, asking again after 1, 2, 4 … at most 50 ms. False when `boundMs` passed first. */
export async function reached(boundMs: number, ask: () => boolean): Promise<boolean> {
  const end = Date.now() + boundMs;
  for (let pauseMs = 1; !ask(); pauseMs = Math.min(pauseMs * 2, 50)) {
    if (Date.now() >= end) return false;
    await sleep(pauseMs);
  }
  return true;
}
