// Files below open directories as a tar archive, one after the other. It reads; what goes in, under which name, is the
// caller's choice.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readlinkAt } from '../kernel/at.ts';
import { type ByteString, bytes, shown } from '../kernel/byte-string.ts';
import {
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFREG,
  type Stat,
  fileType,
  isDirectory,
} from '../kernel/stat.ts';
import { getXattr, listXattrs } from '../kernel/xattr.ts';
import { isErrno } from '../model/engine-error.ts';
import { fileContent, openRegular } from './file-content.ts';
import { OVERLAY_XATTR } from './overlay-xattr.ts';
import { END_OF_ARCHIVE, entryHeader, paddingBytes } from './tar/entry-header.ts';
import type { PaxRecord } from './tar/pax.ts';
import type { EntryType, TarEntry } from './tar/reader.ts';

/** A file to put into an archive: at `path`, what `name` in the open directory is. Or a whiteout: an empty file of nobody. */
export type ArchivedFile =
  | { readonly path: ByteString; readonly directory: number; readonly name: ByteString; readonly stat: Stat }
  | { readonly path: ByteString; readonly stat: null };

const TYPES: Readonly<Record<number, EntryType>> = {
  [S_IFREG]: 'file',
  [S_IFDIR]: 'directory',
  [S_IFLNK]: 'link',
  [S_IFCHR]: 'character device',
  [S_IFBLK]: 'block device',
  [S_IFIFO]: 'fifo',
};
/** Of the host they were set on: labels and seals that mean nothing elsewhere. */
const HOST_XATTR = /^security\.(selinux|ima|evm|SMACK64.*|apparmor)$/;
const CHUNK_BYTES = 256 * 1024;
const CHUNKS_PER_TURN = 8;

const EMPTY: Omit<TarEntry, 'path'> = {
  type: 'file',
  mode: 0,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: { sec: 0, nsec: 0 },
  link: bytes(''),
  devMajor: 0,
  devMinor: 0,
  xattrs: [],
};

function xattrsOf(directory: number, name: ByteString): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (const key of listXattrs(directory, name)) {
    const value = OVERLAY_XATTR.test(key) || HOST_XATTR.test(key) ? null : getXattr(directory, name, key);
    if (value !== null) records.push([key, value.toString('latin1') as ByteString]);
  }
  return records;
}

/** Sockets have no place in an archive: null. The second name of a file that was seen becomes a hard link. */
function entryOf(file: ArchivedFile, seen: Map<string, ByteString>): TarEntry | null {
  if (file.stat === null) return { ...EMPTY, path: file.path };
  const { path, directory, name, stat } = file;
  const type = TYPES[fileType(stat)];
  if (type === undefined) return null;
  const entry = { ...EMPTY, path, type, mode: stat.mode & 0o7777, uid: stat.uid, gid: stat.gid, mtime: stat.mtime };
  if (isDirectory(stat))
    return {
      ...entry,
      path: (path.endsWith('/') ? path : `${path}/`) as ByteString,
      xattrs: xattrsOf(directory, name),
    };
  const first = stat.links > 1 ? seen.get(stat.identity) : undefined;
  if (first !== undefined) return { ...entry, type: 'hard link', link: first };
  if (stat.links > 1) seen.set(stat.identity, path);
  return {
    ...entry,
    size: type === 'file' ? stat.size : 0,
    link: type === 'link' ? readlinkAt(directory, name) : bytes(''),
    devMajor: stat.rdevMajor,
    devMinor: stat.rdevMinor,
    xattrs: xattrsOf(directory, name),
  };
}

/** The archive, in pieces of some hundred kilobytes. A file that is taken away while the archive is written is left out. */
export async function* tarStream(files: Iterable<ArchivedFile>): AsyncGenerator<Buffer> {
  const seen = new Map<string, ByteString>();
  let held: Buffer[] = [];
  let heldBytes = 0;
  let chunks = 0;
  const take = (): Buffer => {
    const chunk = Buffer.concat(held, heldBytes);
    held = [];
    heldBytes = 0;
    return chunk;
  };
  const put = (data: Buffer): boolean => {
    held.push(data);
    heldBytes += data.length;
    return heldBytes >= CHUNK_BYTES;
  };
  for (const file of files) {
    const entry = found(() => entryOf(file, seen));
    const hasContent = entry?.type === 'file' && file.stat !== null;
    const fd = hasContent ? found(() => openRegular(file.directory, file.name)) : null;
    if (entry === null || (hasContent && fd === null)) continue;
    put(entryHeader(entry));
    if (fd !== null) {
      for await (const piece of fileContent(fd, entry.size, shown(entry.path))) if (put(piece)) yield take();
      put(Buffer.alloc(paddingBytes(entry.size)));
    }
    if (heldBytes < CHUNK_BYTES) continue;
    yield take();
    if ((chunks += 1) % CHUNKS_PER_TURN === 0) await nextTurn();
  }
  put(END_OF_ARCHIVE);
  yield take();
}

function found<T>(action: () => T): T | null {
  try {
    return action();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  }
}
