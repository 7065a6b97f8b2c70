// Removes the groups below one, however deep and however they are named: v1 bounds neither depth nor path, and a name is any
// bytes. Works by descriptors and raw names; ends no process.
import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { SysError } from '../../model/engine-error.ts';
import { errnoOf, removeGroup } from './files.ts';

/** A descriptor takes the place of what is longer. PATH_MAX is 4096, and a name at most 255. */
const LONGEST_PATH_BYTES = 3500;

interface Level {
  /** What it is removed by; null: it stays. */
  readonly removeAt: Buffer | null;
  /** What its children are reached by. */
  readonly path: Buffer;
  readonly fd: number | null;
  readonly names: Buffer[];
}

function groupsIn(path: Buffer): Buffer[] {
  return readdirSync(path, { withFileTypes: true, encoding: 'buffer' })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

/** Null when it is gone. */
function enter(at: Buffer, remove: boolean): Level | null {
  let fd: number | null = null;
  try {
    if (at.length > LONGEST_PATH_BYTES) fd = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY);
    const path = fd === null ? at : Buffer.from(`/proc/self/fd/${fd}`);
    return { removeAt: remove ? at : null, path, fd, names: groupsIn(path) };
  } catch (error) {
    if (fd !== null) closeSync(fd);
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENODEV') return null;
    throw new SysError('readdir', errno, at.toString());
  }
}

/**
 * Leaves first; groups in use are passed over, and `top` and the paths in `keep` stay. Returns how many were removed, and
 * whether all were.
 */
export function removeBelow(top: string, keep: readonly string[] = []): { removed: number; whole: boolean } {
  let [removed, whole] = [0, true];
  const first = enter(Buffer.from(top), false);
  const levels = first ? [first] : [];
  try {
    for (let level = levels.at(-1); level; level = levels.at(-1)) {
      const name = level.names.pop();
      if (name !== undefined) {
        const at = Buffer.concat([level.path, Buffer.from('/'), name]);
        const next = enter(at, !keep.includes(at.toString()));
        if (next) levels.push(next);
        continue;
      }
      levels.pop();
      if (level.fd !== null) closeSync(level.fd);
      if (level.removeAt === null) continue;
      if (removeGroup(level.removeAt)) removed += 1;
      else whole = false;
    }
  } finally {
    for (const { fd } of levels) if (fd !== null) closeSync(fd);
  }
  return { removed, whole };
}
