import { expect, test } from 'vitest';
import { beginChunk, BLOCK_BYTES, blockAfter, blockOf, endOfBlock, readChunks } from './output-chunks.ts';

function chunk(stream: number, text: string, length = text.length): Uint8Array {
  const bytes = new Uint8Array(16 + Math.ceil(text.length / 16) * 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, 5_000_000_001n, true);
  view.setUint32(8, stream, true);
  view.setUint32(12, length, true);
  bytes.set(new TextEncoder().encode(text), 16);
  return bytes;
}
const texts = (bytes: Uint8Array) =>
  readChunks(bytes).chunks.map((one) => [one.stream, new TextDecoder().decode(one.bytes)]);

test('whole chunks are taken with their nanoseconds, a torn one is left', () => {
  const bytes = Buffer.concat([chunk(1, 'out'), chunk(2, 'err'), chunk(1, 'late').subarray(0, 18)]);
  expect(readChunks(bytes).used).toBe(64);
  expect(texts(bytes)).toEqual([
    ['stdout', 'out'],
    ['stderr', 'err'],
  ]);
  expect(readChunks(bytes).chunks[0]?.atNs).toBe(5_000_000_001n);
  expect(readChunks(new Uint8Array(15))).toEqual({ chunks: [], used: 0 });
  expect(endOfBlock(bytes)).toBe(64);
});

test('what fills a block is no output, and a hole is the end of what there is', () => {
  const filled = Buffer.concat([chunk(1, 'a'), chunk(0, 'x'.repeat(32)), chunk(1, 'b')]);
  expect(texts(filled)).toEqual([
    ['stdout', 'a'],
    ['stdout', 'b'],
  ]);
  const holed = Buffer.concat([chunk(1, 'a'), new Uint8Array(64)]);
  expect(texts(holed)).toEqual([['stdout', 'a']]);
  expect(endOfBlock(holed)).toBe(32);
});

test('the beginning of a run is told', () => {
  const bytes = Buffer.concat([chunk(1, 'one'), beginChunk(7n), chunk(1, 'two')]);
  expect(texts(bytes).map(([stream]) => stream)).toEqual(['stdout', 'begin', 'stdout']);
});

test.each([
  ['longer than a block', chunk(1, 'x', BLOCK_BYTES)],
  ['of a stream nobody knows', chunk(4, 'x')],
])('a chunk %s is refused when read, and written over when it is the end', (_, torn) => {
  const bytes = Buffer.concat([chunk(1, 'whole'), torn]);
  expect(() => readChunks(bytes)).toThrow('Cannot read output: a chunk says');
  expect(endOfBlock(bytes)).toBe(32);
});

test('blocks begin at multiples of 64 KiB', () => {
  expect([0, 65_535, 65_536].map(blockOf)).toEqual([0, 0, 65_536]);
  expect([0, 65_535, 65_536].map(blockAfter)).toEqual([65_536, 65_536, 131_072]);
});
