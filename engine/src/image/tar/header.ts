// One 512-byte header of a tar archive (POSIX ustar, GNU tar's and star's extensions of it): read and written. Pure.
import { type ByteString, fromBuffer } from '../../kernel/byte-string.ts';
import { EngineError } from '../../model/engine-error.ts';

export const BLOCK_BYTES = 512;

export interface RawHeader {
  readonly path: ByteString;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of data that follow. */
  readonly size: number;
  readonly mtimeSec: number;
  /** One character: "0" file, "1" hard link, "2" symbolic link, "5" directory, "x" PAX records … */
  readonly typeflag: string;
  readonly link: ByteString;
  readonly devMajor: number;
  readonly devMinor: number;
}

export const badTar = (why: string): EngineError =>
  new EngineError('invalid_argument', `Cannot read the tar archive: ${why}`);

const FIELDS = {
  path: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtimeSec: [136, 12],
  checksum: [148, 8],
  typeflag: [156, 1],
  link: [157, 100],
  magic: [257, 8],
  devMajor: [329, 8],
  devMinor: [337, 8],
  prefix: [345, 155],
} as const;

/** Bytes of a field up to its first NUL. */
export function textField(block: Uint8Array, at: number, length: number): ByteString {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return fromBuffer(end < 0 ? field : field.subarray(0, end));
}

/** Octal digits, or, where the first bit is set, a big-endian two's complement number (GNU's base-256). */
export function numberField(block: Uint8Array, at: number, length: number, what: string): number {
  const first = block[at] as number;
  if (first & 0x80) {
    let value = first & 0x40 ? first - 0x100 : first & 0x7f;
    for (let index = at + 1; index < at + length; index += 1) value = value * 256 + (block[index] as number);
    if (!Number.isSafeInteger(value)) throw badTar(`its ${what} is out of range`);
    return value;
  }
  const text = textField(block, at, length).trim();
  if (text === '') return 0;
  if (!/^[0-7]+$/.test(text)) throw badTar(`its ${what} is no number`);
  return parseInt(text, 8);
}

/** Old archives summed up signed bytes. */
function checksumFits(block: Uint8Array, expected: number): boolean {
  let unsigned = 0;
  let signed = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) {
    const byte = at >= 148 && at < 156 ? 32 : (block[at] as number);
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  }
  return expected === unsigned || expected === signed;
}

/** Throws invalid_argument for what is no header. */
export function decodeHeader(block: Uint8Array): RawHeader {
  const number = (field: keyof typeof FIELDS) => numberField(block, FIELDS[field][0], FIELDS[field][1], field);
  const text = (field: keyof typeof FIELDS) => textField(block, FIELDS[field][0], FIELDS[field][1]);
  if (!checksumFits(block, number('checksum')))
    throw badTar('a header has a wrong checksum; the archive is damaged or no tar');
  // GNU's magic is "ustar  ": there the prefix' place holds times and sparse maps.
  const prefix = fromBuffer(block.subarray(257, 263)) === 'ustar\0' ? text('prefix') : '';
  const path = text('path');
  const size = number('size');
  if (size < 0) throw badTar('an entry has a negative size');
  return {
    path: (prefix === '' ? path : `${prefix}/${path}`) as ByteString,
    mode: number('mode') & 0o7777,
    uid: number('uid'),
    gid: number('gid'),
    size,
    mtimeSec: number('mtimeSec'),
    typeflag: fromBuffer(block.subarray(156, 157)) === '\0' ? '0' : fromBuffer(block.subarray(156, 157)),
    link: text('link'),
    devMajor: number('devMajor'),
    devMinor: number('devMinor'),
  };
}

/** Whether a number can stand in an octal field of that many bytes (one is the closing NUL). */
export const fitsOctal = (value: number, length: number): boolean =>
  Number.isInteger(value) && value >= 0 && value < 8 ** (length - 1);

/** Writes an ustar header. What does not fit its field must have been told by PAX records; a stand-in is put there. */
export function encodeHeader(header: RawHeader): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (field: keyof typeof FIELDS, value: number) => {
    const [at, length] = FIELDS[field];
    const digits = (fitsOctal(value, length) ? value : 0).toString(8).padStart(length - 1, '0');
    block.write(digits, at, 'latin1');
  };
  block.write(header.path.slice(0, 100), 0, 'latin1');
  block.write(header.link.slice(0, 100), FIELDS.link[0], 'latin1');
  for (const field of ['mode', 'uid', 'gid', 'size', 'mtimeSec', 'devMajor', 'devMinor'] as const)
    octal(field, header[field]);
  block.write(header.typeflag, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.fill(32, 148, 156);
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}
