// Parses what getdents64(2) gives. The names are the learner's: bounded, never trusted, never thrown over. Pure.
import type { FileEntry } from '../api/lab/schemas.ts';

const HEADER_BYTES = 19;
const TYPES: Readonly<Record<number, FileEntry['type']>> = { 4: 'directory', 8: 'file', 10: 'symlink' };
const utf8 = new TextDecoder();

/** struct linux_dirent64: ino 8, off 8, reclen 2, type 1, name. "." and ".." are left out; broken records end the list. */
export function parseDirectoryEntries(bytes: Uint8Array): FileEntry[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: FileEntry[] = [];
  for (let at = 0; at + HEADER_BYTES < bytes.length;) {
    const length = view.getUint16(at + 16, true);
    if (length <= HEADER_BYTES || at + length > bytes.length) break;
    const raw = bytes.subarray(at + HEADER_BYTES, at + length);
    const end = raw.indexOf(0);
    const name = utf8.decode(end < 0 ? raw : raw.subarray(0, end));
    if (name !== '.' && name !== '..') entries.push({ name, type: TYPES[bytes[at + 18] ?? 0] ?? 'other' });
    at += length;
  }
  return entries;
}
