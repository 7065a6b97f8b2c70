// The files and directories that the engine itself makes in each container's root file system, for its mounts to go over.
// Docker keeps them in a layer of their own below the writable one; here they are left out where changes are told.
import type { ByteString } from '../kernel/byte-string.ts';
import { fileType, isDirectory, S_IFLNK, S_IFREG, type Stat } from '../kernel/stat.ts';

const DIRECTORIES = new Set(['dev', 'dev/pts', 'dev/shm', 'dev/mqueue', 'etc', 'proc', 'sys']);
const FILES = new Set(['.dockerenv', 'dev/console', 'etc/hostname', 'etc/hosts', 'etc/resolv.conf']);
const LINKS = new Set(['etc/mtab']);

/** Whether a file that is not in the image is one of them, untouched: an empty file, or a directory (of which all that is
 * in it must be so, too). */
export function isEngineMade(path: ByteString, stat: Stat): boolean {
  if (isDirectory(stat)) return DIRECTORIES.has(path);
  if (fileType(stat) === S_IFLNK) return LINKS.has(path);
  return fileType(stat) === S_IFREG && stat.size === 0 && FILES.has(path);
}
