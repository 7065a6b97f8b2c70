// Headers of an entry that is written: one ustar block, and PAX records before it for what does not fit there. The same
// file gives the same bytes, whoever writes it and when. Pure.
import type { ByteString } from '../../kernel/byte-string.ts';
import { bytes, splitPath } from '../../kernel/byte-string.ts';
import { BLOCK_BYTES, encodeHeader, fitsOctal } from './header.ts';
import { type PaxRecord, encodePax, paxTimeText } from './pax.ts';
import type { EntryType, TarEntry } from './reader.ts';

const TYPEFLAGS: Readonly<Record<EntryType, string>> = {
  file: '0',
  'hard link': '1',
  link: '2',
  'character device': '3',
  'block device': '4',
  directory: '5',
  fifo: '6',
};
const MAX_TEXT = 100;

/** The blocks before the entry's data; a directory's path must end with a slash. */
export function entryHeader(entry: TarEntry): Buffer {
  const size = entry.type === 'file' ? entry.size : 0;
  const records: PaxRecord[] = [];
  const told = (key: string, value: string) => records.push([bytes(key), value as ByteString]);
  if (entry.path.length > MAX_TEXT) told('path', entry.path);
  if (entry.link.length > MAX_TEXT) told('linkpath', entry.link);
  if (!fitsOctal(size, 12)) told('size', String(size));
  if (!fitsOctal(entry.uid, 8)) told('uid', String(entry.uid));
  if (!fitsOctal(entry.gid, 8)) told('gid', String(entry.gid));
  if (entry.mtime.nsec !== 0 || !fitsOctal(entry.mtime.sec, 12)) told('mtime', paxTimeText(entry.mtime));
  for (const [key, value] of entry.xattrs) told(`SCHILY.xattr.${key}`, value);
  const { mode, uid, gid, link, devMajor, devMinor } = entry;
  const fields = { mode, uid, gid, mtimeSec: entry.mtime.sec };
  const header = encodeHeader({
    ...fields,
    path: entry.path,
    size,
    typeflag: TYPEFLAGS[entry.type],
    link,
    devMajor,
    devMinor,
  });
  if (records.length === 0) return header;
  const pax = encodePax(records);
  const name = splitPath(entry.path.replace(/\/+$/, '') as ByteString).name;
  const paxHeader = encodeHeader({
    ...fields,
    mode: 0o644,
    path: `PaxHeaders.0/${name}` as ByteString,
    size: pax.length,
    typeflag: 'x',
    link: bytes(''),
    devMajor: 0,
    devMinor: 0,
  });
  return Buffer.concat([paxHeader, pax, Buffer.alloc(paddingBytes(pax.length)), header]);
}

/** Data are filled up to whole blocks. */
export const paddingBytes = (size: number): number => (BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES;

/** Two blocks of zeros. */
export const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK_BYTES);
