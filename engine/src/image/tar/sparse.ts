// GNU tar's four ways to write a file with holes (GNU tar manual, "Storing Sparse Files"). Pure. A map lists the pieces of
// data; what lies between them is zeros.
import type { PaxRecord } from './pax.ts';
import { badTar, numberField } from './header.ts';

export interface SparseMap {
  readonly realSize: number;
  /** Offset in the file and length; ascending, not overlapping. */
  readonly pieces: readonly (readonly [offset: number, length: number])[];
}

/** 1 MiB of map; more is no file of this world. */
export const MAX_PIECES = 65536;

const decimal = (text: string | undefined): number => {
  const value = /^[0-9]{1,16}$/.test(text ?? '') ? Number(text) : NaN;
  if (!Number.isSafeInteger(value)) throw badTar('a sparse map is malformed');
  return value;
};

/** Throws invalid_argument unless the pieces ascend, lie in the file and are as long together as the data that follow. */
export function checkedMap(numbers: readonly number[], realSize: number, dataBytes: number): SparseMap {
  const pieces: [number, number][] = [];
  let end = 0;
  let sum = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    const [offset, length] = [numbers[at] as number, numbers[at + 1]];
    if (length === undefined || offset < end || offset + length > realSize) throw badTar('a sparse map is malformed');
    end = offset + length;
    sum += length;
    if (length > 0) pieces.push([offset, length]);
  }
  if (sum !== dataBytes) throw badTar('a sparse map does not fit the data');
  return { realSize, pieces };
}

/** Old format: pairs of 12-byte numbers in a header or in one of its continuation blocks. */
export function oldPairs(block: Uint8Array, at: number, count: number): number[] {
  const numbers: number[] = [];
  for (let pair = 0; pair < count; pair += 1) {
    const from = at + pair * 24;
    if (block[from] === 0) break;
    numbers.push(numberField(block, from, 12, 'sparse map'), numberField(block, from + 12, 12, 'sparse map'));
  }
  if (numbers.some((value) => value < 0)) throw badTar('a sparse map is malformed');
  return numbers;
}

export type PaxSparse =
  | { readonly version: '0'; readonly numbers: readonly number[]; readonly realSize: number }
  | { readonly version: '1.0'; readonly realSize: number };

/** What the PAX records of an entry say of holes; null: nothing. */
export function paxSparse(records: readonly PaxRecord[]): PaxSparse | null {
  const one = new Map(records.map(([key, value]) => [key as string, value as string]));
  if (one.get('GNU.sparse.major') === '1' && one.get('GNU.sparse.minor') === '0')
    return { version: '1.0', realSize: decimal(one.get('GNU.sparse.realsize')) };
  const size = one.get('GNU.sparse.size');
  if (size === undefined) return null;
  const listed = one.get('GNU.sparse.map');
  const numbers =
    listed !== undefined
      ? listed.split(',').filter((text) => text !== '')
      : records
          .filter(([key]) => key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
          .map(([, value]) => value);
  if (numbers.length > 2 * MAX_PIECES) throw badTar('a sparse map is too long');
  return { version: '0', numbers: numbers.map((text) => decimal(text)), realSize: decimal(size) };
}

/** Format 1.0 begins its data with the map: decimal numbers, each with a newline, filled up to whole blocks. */
export class MapInData {
  /** Offsets and lengths, once it is whole. */
  readonly numbers: number[] = [];
  #wanted: number | null = null;
  #begun = '';

  /** Takes the next block; true when the map is whole. */
  push(block: Uint8Array): boolean {
    const lines = (this.#begun + Buffer.from(block).toString('latin1')).split('\n');
    this.#begun = lines.pop() as string;
    for (const line of lines) {
      if (this.#wanted === null) {
        const count = decimal(line);
        if (count > MAX_PIECES) throw badTar('a sparse map is too long');
        this.#wanted = 2 * count;
      } else this.numbers.push(decimal(line));
      if (this.numbers.length === this.#wanted) return true;
    }
    if (this.#begun.length > 20) throw badTar('a sparse map is malformed');
    return false;
  }
}
