// How much is in a directory of files.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AT_FDCWD, O_DIRECTORY, O_NOFOLLOW, O_RDONLY, closeFd, openAt, openIfThere } from '../kernel/at.ts';
import { bytes } from '../kernel/byte-string.ts';
import { DT_DIR, readDirectory } from '../kernel/directory.ts';
import { isDirectory, isWhiteout, statAt } from '../kernel/stat.ts';

const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;
/** Below that much, a file's size is told as it is: file systems keep small ones in odd places. */
const SPARSE_FROM_BYTES = 65536;
const ENTRIES_PER_TURN = 512;
/** Each open level holds a descriptor. */
const MAX_LEVELS = 512;

export interface TreeContent {
  /** Sizes of regular files and links, names of one file counted once, holes not at all. */
  readonly bytes: number;
  readonly whiteouts: number;
}

export async function treeContent(path: string): Promise<TreeContent> {
  const seen = new Set<string>();
  let total = 0;
  let whiteouts = 0;
  let entries = 0;
  const levels: number[] = [];
  const walk = async (fd: number): Promise<void> => {
    levels.push(fd);
    for (const entry of readDirectory(fd, path)) {
      if ((entries += 1) % ENTRIES_PER_TURN === 0) await nextTurn();
      const stat = entry.type === DT_DIR ? null : statAt(fd, entry.name);
      if (entry.type === DT_DIR || (stat !== null && isDirectory(stat))) {
        const below = levels.length < MAX_LEVELS ? openIfThere(fd, entry.name, DIRECTORY) : null;
        if (below !== null) await walk(below);
      } else if (stat !== null && isWhiteout(stat)) whiteouts += 1;
      else if (stat !== null && (stat.links === 1 || !seen.has(stat.identity))) {
        if (stat.links > 1) seen.add(stat.identity);
        total += stat.size > SPARSE_FROM_BYTES ? Math.min(stat.size, stat.blocks * 512) : stat.size;
      }
    }
    levels.pop();
    closeFd(fd);
  };
  try {
    await walk(openAt(AT_FDCWD, bytes(path), DIRECTORY));
  } finally {
    for (const fd of levels) closeFd(fd);
  }
  return { bytes: total, whiteouts };
}
