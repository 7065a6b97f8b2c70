// How much a directory holds: the sizes of its files, each inode once. Follows no links; what vanishes meanwhile is not counted.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of all files below a directory; 0 when it is not there. */
export async function treeBytes(directory: string): Promise<number> {
  const counted = new Set<string>();
  const directories = [directory];
  let bytes = 0;
  for (let next = directories.pop(); next !== undefined; next = directories.pop()) {
    for (const entry of await readdir(next, { withFileTypes: true }).catch(() => [])) {
      const path = join(next, entry.name);
      if (entry.isDirectory()) {
        directories.push(path);
        continue;
      }
      const stat = await lstat(path, { bigint: true }).catch(() => null);
      if (stat === null) continue;
      const identity = `${stat.dev}:${stat.ino}`;
      if (stat.nlink > 1n && counted.has(identity)) continue;
      counted.add(identity);
      bytes += Number(stat.size);
    }
  }
  return bytes;
}
