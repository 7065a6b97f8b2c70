// Reads files below the lessons folder: bounded, text only, no links out of it. A file that can't be read is a problem,
// never an exception.
import { lstatSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Problem } from './problem.ts';

const MAX_FILE_BYTES = 256 * 1024;

export interface LessonFiles {
  /** Names in a folder, sorted, without those that begin with a dot; empty if there is no such folder. */
  list(folder: string): string[];
  folders(folder: string): string[];
  has(path: string): boolean;
  /** The text of a file; null, with a problem added, when it can't be read. */
  read(path: string, problems: Problem[]): string | null;
}

export function lessonFiles(root: string): LessonFiles {
  const kind = (path: string): 'file' | 'folder' | 'other' | 'absent' => {
    const stat = lstatSync(join(root, path), { throwIfNoEntry: false });
    if (!stat) return 'absent';
    return stat.isFile() ? 'file' : stat.isDirectory() ? 'folder' : 'other';
  };
  const list = (folder: string): string[] =>
    kind(folder) === 'folder'
      ? readdirSync(join(root, folder))
          .filter((name) => !name.startsWith('.'))
          .sort()
      : [];
  return {
    list,
    folders: (folder) => list(folder).filter((name) => kind(join(folder, name)) === 'folder'),
    has: (path) => kind(path) === 'file',
    read(path, problems) {
      const fail = (message: string): null => {
        problems.push({ file: path, line: null, field: null, message });
        return null;
      };
      const what = kind(path);
      if (what === 'absent') return fail('is missing: a lesson needs it');
      if (what !== 'file') return fail('is not a plain file');
      try {
        const bytes = readFileSync(join(root, path));
        if (bytes.length > MAX_FILE_BYTES)
          return fail(`is ${bytes.length} bytes long: at most ${MAX_FILE_BYTES} are read`);
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      } catch (error) {
        return fail(`cannot be read: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}
