// State on disk is whole or absent: written to a temporary file, fsynced, renamed; the directory is fsynced after.
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { touched } from './trace.ts';

/** Replaces a file by this text. Errors are Node's (ENOSPC, EROFS …); the old content then still stands. */
export function writeAtomically(path: string, text: string, mode = 0o600): void {
  const args = [JSON.stringify(path), `<${Buffer.byteLength(text)} bytes>`];
  touched({ kind: 'write', name: 'write, fsync, rename', args }, () => replace(path, text, mode), codeOf);
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'EIO';

function replace(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  const file = openSync(fresh, 'w', mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(fresh, path);
  const directory = openSync(dirname(path), 'r');
  fsyncSync(directory);
  closeSync(directory);
}

/** The text of a file, or null when there is none. A file of /proc/PID may be open when its process goes: ESRCH then. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return null;
    throw error;
  }
}
