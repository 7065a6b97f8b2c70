// What is in an open directory (getdents64(2)), and taking whole trees away by descriptors, however deep they are.
import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, closeFd, openAt, openIfThere, renameAt, unlinkAt } from './at.ts';
import { type ByteString, bytes, fromBuffer } from './byte-string.ts';
import { bind, checked } from './libc.ts';

const cGetdents64 = bind('long getdents64(int fd, void *buffer, size_t size)');
const cLseek = bind('int64_t lseek(int fd, int64_t offset, int whence)');

export interface DirectoryEntry {
  readonly name: ByteString;
  /** Of readdir(3)'s d_type: it may lack on some file systems, and is a hint where others write. */
  readonly type: number;
}

export const DT_UNKNOWN = 0;
export const DT_DIR = 4;

const room = Buffer.alloc(65536);

/** All names but "." and "..", as the file system orders them, from the directory's begin. */
export function readDirectory(fd: number, target = `descriptor ${fd}`): DirectoryEntry[] {
  const entries: DirectoryEntry[] = [];
  checked('lseek', target, cLseek(fd, 0, 0));
  for (;;) {
    const length = checked('getdents64', target, cGetdents64(fd, room, room.length));
    if (length === 0) return entries;
    // struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name with a NUL, padding.
    for (let at = 0; at < length; at += room.readUInt16LE(at + 16)) {
      const name = fromBuffer(room.subarray(at + 19, room.indexOf(0, at + 19)));
      if (name !== '.' && name !== '..') entries.push({ name, type: room[at + 18] as number });
    }
  }
}

const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
/** Deeper directories are moved up to the top first: each level holds a descriptor. */
const MAX_LEVELS = 64;
const ENTRIES_PER_TURN = 256;

/**
 * Takes away a name and all below it, step by step: each `next()` is some hundred entries. Links are not followed.
 * Gone already is fine. In a directory that others write to, it throws what the kernel says when they win (ENOTEMPTY).
 */
function* removal(directory: number, name: ByteString): Generator<void> {
  const top = openIfThere(directory, name, DIRECTORY);
  if (top === null) {
    unlinkAt(directory, name);
    return;
  }
  let count = 0;
  let moved = false;
  const levels: { fd: number; entries: DirectoryEntry[]; name: ByteString }[] = [];
  const enter = (fd: number, entered: ByteString) => {
    const level = { fd, entries: [] as DirectoryEntry[], name: entered };
    levels.push(level);
    level.entries = readDirectory(fd);
  };
  try {
    enter(top, name);
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const entry = level.entries.pop();
      if ((count += 1) % ENTRIES_PER_TURN === 0) yield;
      if (entry === undefined) {
        if (levels.length === 1 && moved) {
          moved = false;
          level.entries = readDirectory(level.fd);
          continue;
        }
        levels.pop();
        closeFd(level.fd);
        unlinkAt(levels.at(-1)?.fd ?? directory, level.name, true);
        continue;
      }
      const isDirectory = entry.type === DT_DIR || entry.type === DT_UNKNOWN;
      const below = isDirectory ? openIfThere(level.fd, entry.name, DIRECTORY) : null;
      if (below === null) unlinkAt(level.fd, entry.name);
      else if (levels.length < MAX_LEVELS) enter(below, entry.name);
      else {
        closeFd(below);
        moved = true;
        renameAt(level.fd, entry.name, top, bytes(`.removed-${randomBytes(8).toString('hex')}`));
      }
    }
  } finally {
    for (const { fd } of levels) closeFd(fd);
  }
}

/** Takes away a name and all below it. */
export function removeTreeAt(directory: number, name: ByteString): void {
  for (const _ of removal(directory, name));
}

/** Takes away a host path and all below it, a few hundred files each turn of the main loop. */
export async function removeTree(path: string): Promise<void> {
  const parent = path.slice(0, path.lastIndexOf('/')) || '/';
  const directory = openAt(-100, bytes(parent), O_RDONLY | O_DIRECTORY);
  try {
    for (const _ of removal(directory, bytes(path.slice(path.lastIndexOf('/') + 1)))) await nextTurn();
  } finally {
    closeFd(directory);
  }
}
