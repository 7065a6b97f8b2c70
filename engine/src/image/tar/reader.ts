// Takes a tar archive apart while it streams by: bytes are pushed in, entries and their data come out. Pure, and bounded
// in what it keeps, whatever the bytes are. Not a library: those that were tried decode PAX values as UTF-8, which breaks
// file capabilities and names in other encodings, and know no sparse files.
import type { ByteString } from '../../kernel/byte-string.ts';
import { fromBuffer } from '../../kernel/byte-string.ts';
import type { Time } from '../../kernel/stat.ts';
import { BLOCK_BYTES, type RawHeader, badTar, decodeHeader, numberField } from './header.ts';
import { type PaxRecord, decodePax, paxTime } from './pax.ts';
import { MAX_PIECES, MapInData, type SparseMap, checkedMap, oldPairs, paxSparse } from './sparse.ts';

export type EntryType = 'file' | 'hard link' | 'link' | 'character device' | 'block device' | 'directory' | 'fifo';

export interface TarEntry {
  /** As it stands in the archive. */
  readonly path: ByteString;
  readonly type: EntryType;
  /** Permission bits with setuid, setgid, sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of the file once it is unpacked; 0 for all but files. */
  readonly size: number;
  readonly mtime: Time;
  /** Target of a hard or symbolic link; otherwise empty. */
  readonly link: ByteString;
  readonly devMajor: number;
  readonly devMinor: number;
  /** By full name: "user.x", "security.capability". */
  readonly xattrs: readonly PaxRecord[];
}

export interface TarHandler {
  entry(entry: TarEntry): void;
  /** Some bytes of the entry, and where in the file they belong. They may be overwritten after the call. */
  data(content: Uint8Array, offset: number): void;
  entryEnd(): void;
}

/** Of PAX records and GNU's long names; archive/tar of Go draws the line there, too. */
const MAX_SPECIAL_BYTES = 1 << 20;
const XATTR = 'SCHILY.xattr.';

const TYPES: Readonly<Record<string, EntryType>> = {
  '0': 'file',
  '1': 'hard link',
  '2': 'link',
  '3': 'character device',
  '4': 'block device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  S: 'file',
};

type State = 'header' | 'special' | 'old map' | 'map in data' | 'data' | 'padding' | 'end';

export class TarReader {
  readonly #handler: TarHandler;
  #state: State = 'header';
  /** Bytes of the current state's block or special that have come so far. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #wantedBytes = BLOCK_BYTES;
  #zeroBlock = false;
  #begun = false;
  #special = '';
  #longPath: ByteString | null = null;
  #longLink: ByteString | null = null;
  #records: PaxRecord[] = [];
  #header: RawHeader | null = null;
  #oldNumbers: number[] = [];
  #oldRealSize = 0;
  #mapInData = new MapInData();
  /** What is still to come of the entry's data; its pieces, and the place in them. */
  #dataBytes = 0;
  #map: SparseMap = { realSize: 0, pieces: [] };
  #piece = 0;
  #inPiece = 0;
  #paddingBytes = 0;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Throws invalid_argument for what is no tar; then no more may be pushed. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && this.#state !== 'end') {
      if (this.#state === 'data') at += this.#takeData(chunk, at);
      else if (this.#state === 'padding') {
        const count = Math.min(this.#paddingBytes, chunk.length - at);
        this.#paddingBytes -= count;
        at += count;
        if (this.#paddingBytes === 0) this.#await('header', BLOCK_BYTES);
      } else {
        const rest = this.#wantedBytes - this.#heldBytes;
        const part = chunk.subarray(at, at + rest);
        at += part.length;
        if (part.length === this.#wantedBytes) this.#block(part);
        else {
          // Kept beyond this call, so copied.
          this.#held.push(Uint8Array.from(part));
          this.#heldBytes += part.length;
          if (this.#heldBytes === this.#wantedBytes) this.#block(Buffer.concat(this.#held));
        }
      }
    }
  }

  /** Call after the last push. Throws where the archive stops in the middle. */
  finish(): void {
    // umoci insert (0.4.7) leaves out the last padding and the end mark; Go's archive/tar takes that, so Docker does.
    const between =
      this.#state === 'padding' || (this.#state === 'header' && this.#heldBytes === 0 && this.#records.length === 0);
    if (this.#state !== 'end' && !between) throw badTar('it ends too early');
    if (!this.#begun) throw badTar('it is empty');
  }

  #await(state: State, bytes: number): void {
    this.#state = state;
    this.#wantedBytes = bytes;
    this.#held = [];
    this.#heldBytes = 0;
  }

  #block(block: Uint8Array): void {
    const state = this.#state;
    this.#held = [];
    this.#heldBytes = 0;
    if (state === 'header') this.#takeHeader(block);
    else if (state === 'special') this.#takeSpecial(block);
    else if (state === 'old map') this.#takeOldMap(block);
    else if (state === 'map in data') this.#takeMapInData(block);
  }

  #takeHeader(block: Uint8Array): void {
    if (block.every((byte) => byte === 0)) {
      this.#begun = true;
      if (this.#zeroBlock) this.#state = 'end';
      this.#zeroBlock = true;
      return;
    }
    if (this.#zeroBlock) throw badTar('something follows its end mark');
    const header = decodeHeader(block);
    this.#begun = true;
    this.#header = header;
    if (['x', 'g', 'L', 'K'].includes(header.typeflag)) {
      if (header.size > MAX_SPECIAL_BYTES) throw badTar('a name or PAX header is longer than 1 MiB');
      this.#special = header.typeflag;
      if (header.size === 0) return;
      this.#await('special', Math.ceil(header.size / BLOCK_BYTES) * BLOCK_BYTES);
      return;
    }
    if (header.typeflag === 'S') {
      this.#oldNumbers = oldPairs(block, 386, 4);
      this.#oldRealSize = numberField(block, 483, 12, 'size');
      if (block[482] !== 0) {
        this.#await('old map', BLOCK_BYTES);
        return;
      }
    }
    this.#begin();
  }

  #takeSpecial(data: Uint8Array): void {
    const content = data.subarray(0, this.#header?.size ?? 0);
    if (this.#special === 'x') this.#records = decodePax(content);
    // Global records ("g") hold comments of git archive and the like.
    else if (this.#special !== 'g') {
      const end = content.indexOf(0);
      const name = fromBuffer(end < 0 ? content : content.subarray(0, end));
      if (this.#special === 'L') this.#longPath = name;
      else this.#longLink = name;
    }
    this.#await('header', BLOCK_BYTES);
  }

  #takeOldMap(block: Uint8Array): void {
    this.#oldNumbers.push(...oldPairs(block, 0, 21));
    if (this.#oldNumbers.length > 2 * MAX_PIECES) throw badTar('a sparse map is too long');
    if (block[504] === 0) this.#begin();
  }

  #takeMapInData(block: Uint8Array): void {
    this.#dataBytes -= BLOCK_BYTES;
    const whole = this.#mapInData.push(block);
    if (whole) this.#tell(checkedMap(this.#mapInData.numbers, this.#map.realSize, this.#dataBytes));
    else if (this.#dataBytes < BLOCK_BYTES) throw badTar('a sparse map is malformed');
  }

  /** All headers of the entry have come. */
  #begin(): void {
    const header = this.#header as RawHeader;
    const type = TYPES[header.typeflag];
    if (type === undefined && header.typeflag !== 'V')
      throw badTar(`"${header.path}" is of an unknown type "${header.typeflag}"`);
    // Links, directories and devices have no data, whatever their size says (old writers put the file's there).
    const hasData = type === 'file' && !this.#path(header).endsWith('/');
    const told = this.#record('size');
    const size = told === undefined ? header.size : Number(told);
    if (!Number.isSafeInteger(size) || size < 0) throw badTar('an entry’s size is no number');
    this.#dataBytes = hasData ? size : 0;
    this.#paddingBytes = (BLOCK_BYTES - (this.#dataBytes % BLOCK_BYTES)) % BLOCK_BYTES;
    const sparse = type === 'file' ? paxSparse(this.#records) : null;
    if (sparse?.version === '1.0') {
      this.#map = { realSize: sparse.realSize, pieces: [] };
      this.#mapInData = new MapInData();
      if (this.#dataBytes < BLOCK_BYTES) throw badTar('a sparse map is malformed');
      this.#await('map in data', BLOCK_BYTES);
    } else if (sparse !== null) this.#tell(checkedMap(sparse.numbers, sparse.realSize, this.#dataBytes));
    else if (header.typeflag === 'S') this.#tell(checkedMap(this.#oldNumbers, this.#oldRealSize, this.#dataBytes));
    else this.#tell({ realSize: this.#dataBytes, pieces: this.#dataBytes > 0 ? [[0, this.#dataBytes]] : [] });
  }

  #record(key: string): string | undefined {
    return this.#records.findLast(([name]) => name === key)?.[1];
  }

  #path(header: RawHeader): string {
    return this.#record('GNU.sparse.name') ?? this.#record('path') ?? this.#longPath ?? header.path;
  }

  #tell(map: SparseMap): void {
    const header = this.#header as RawHeader;
    this.#map = map;
    this.#piece = 0;
    this.#inPiece = 0;
    if (header.typeflag !== 'V') this.#handler.entry(this.#entryOf(header, map.realSize));
    this.#longPath = null;
    this.#longLink = null;
    this.#records = [];
    if (this.#dataBytes > 0) this.#await('data', 0);
    else this.#endOfData();
  }

  #entryOf(header: RawHeader, size: number): TarEntry {
    const id = (key: 'uid' | 'gid') => {
      const value = this.#record(key) === undefined ? header[key] : Number(this.#record(key));
      if (!Number.isInteger(value) || value < 0 || value >= 2 ** 32 - 1)
        throw badTar(`an entry’s ${key} is out of range`);
      return value;
    };
    const path = this.#path(header);
    const link = this.#record('linkpath') ?? this.#longLink ?? header.link;
    if (path === '' || path.includes('\0') || link.includes('\0')) throw badTar('an entry has no valid name');
    const type = TYPES[header.typeflag] as EntryType;
    const mtime = paxTime(this.#record('mtime') ?? '') ?? { sec: header.mtimeSec, nsec: 0 };
    const isLink = type === 'link' || type === 'hard link';
    return {
      path: path as ByteString,
      type: type === 'file' && path.endsWith('/') ? 'directory' : type,
      mode: header.mode,
      uid: id('uid'),
      gid: id('gid'),
      size,
      mtime,
      link: (isLink ? link : '') as ByteString,
      devMajor: header.devMajor,
      devMinor: header.devMinor,
      xattrs: this.#records
        .filter(([key]) => key.startsWith(XATTR) && key.length > XATTR.length)
        .map(([key, value]) => [key.slice(XATTR.length) as ByteString, value]),
    };
  }

  #takeData(chunk: Uint8Array, at: number): number {
    const [offset, length] = this.#map.pieces[this.#piece] as readonly [number, number];
    const count = Math.min(length - this.#inPiece, chunk.length - at);
    const content = at === 0 && count === chunk.length ? chunk : chunk.subarray(at, at + count);
    this.#handler.data(content, offset + this.#inPiece);
    this.#inPiece += count;
    this.#dataBytes -= count;
    if (this.#inPiece === length) {
      this.#piece += 1;
      this.#inPiece = 0;
    }
    if (this.#dataBytes === 0) this.#endOfData();
    return count;
  }

  #endOfData(): void {
    if (this.#header?.typeflag !== 'V') this.#handler.entryEnd();
    if (this.#paddingBytes > 0) this.#state = 'padding';
    else this.#await('header', BLOCK_BYTES);
  }
}
