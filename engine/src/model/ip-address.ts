// IPv4 and IPv6 addresses and prefixes: text, bytes, comparison. Pure.
import { EngineError } from './engine-error.ts';

/** An address with the length of its network's prefix: "10.0.0.1/30". */
export interface Prefix {
  readonly address: string;
  readonly length: number;
}

function refuse(text: string): never {
  throw new EngineError('invalid_argument', `Cannot read "${text}": it is no IPv4 or IPv6 address`);
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  // No leading zeros: some readers take 010 for eight.
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255))
    return undefined;
  return Uint8Array.from(parts, Number);
}

/** Bytes of groups between colons; the last may be an IPv4 address where the text ends with it. */
function groups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const embedded = atEnd && index === parts.length - 1 && part.includes('.') ? ipv4Bytes(part) : undefined;
    if (embedded !== undefined) bytes.push(...embedded);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) bytes.push(Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255);
    else return undefined;
  }
  return bytes;
}

/** Four or sixteen bytes in network order. Throws `invalid_argument`; zones ("%eth0") are refused. */
export function addressBytes(text: string): Uint8Array {
  if (!text.includes(':')) return ipv4Bytes(text) ?? refuse(text);
  const halves = text.split('::');
  const before = groups(halves[0] ?? '', halves.length === 1);
  const after = halves.length === 2 ? groups(halves[1] ?? '', true) : [];
  if (halves.length > 2 || before === undefined || after === undefined) return refuse(text);
  const gap = 16 - before.length - after.length;
  if (halves.length === 2 ? gap < 2 : gap !== 0) return refuse(text);
  return Uint8Array.from([...before, ...Array.from({ length: gap }, () => 0), ...after]);
}

/** As the kernel's tools write it: IPv6 by RFC 5952. Throws RangeError where the bytes are not four or sixteen. */
export function addressText(bytes: Uint8Array): string {
  if (bytes.length === 4) return [...bytes].join('.');
  if (bytes.length !== 16) throw new RangeError(`An address has 4 or 16 bytes, not ${bytes.length}`);
  const words = Array.from({ length: 8 }, (_, index) => ((bytes[2 * index] ?? 0) << 8) | (bytes[2 * index + 1] ?? 0));
  // ::ffff:1.2.3.4, an IPv4 address in IPv6 clothes (RFC 5952 section 5).
  if (words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff)
    return `::ffff:${[...bytes.subarray(12)].join('.')}`;
  const longest = zeroRun(words);
  const hex = words.map((word) => word.toString(16));
  if (longest.length < 2) return hex.join(':');
  return `${hex.slice(0, longest.start).join(':')}::${hex.slice(longest.start + longest.length).join(':')}`;
}

function zeroRun(words: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > longest.length) longest = { start, length };
  }
  return longest;
}

/** Reads "10.0.0.0/8"; the address keeps its host bits. Throws `invalid_argument`. */
export function parsePrefix(text: string): Prefix {
  const [address = '', length = '', more] = text.split('/');
  const bits = addressBytes(address).length * 8;
  if (more !== undefined || !/^\d{1,3}$/.test(length) || Number(length) > bits)
    throw new EngineError('invalid_argument', `Cannot read "${text}": after the "/" comes a number from 0 to ${bits}`);
  return { address, length: Number(length) };
}

/** The number of an IPv4 address. Throws `invalid_argument` for anything else. */
export function ipv4Number(text: string): number {
  const bytes = ipv4Bytes(text) ?? refuse(text);
  return new DataView(bytes.buffer).getUint32(0);
}

export function ipv4Text(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join('.');
}

/** First and last address of an IPv4 prefix, as numbers. */
export function ipv4Range({ address, length }: Prefix): { first: number; last: number } {
  const size = 2 ** (32 - length);
  const first = Math.floor(ipv4Number(address) / size) * size;
  return { first, last: first + size - 1 };
}
