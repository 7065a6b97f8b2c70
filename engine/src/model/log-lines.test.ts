import { expect, test } from 'vitest';
import { LineCutter } from './log-lines.ts';
import type { OutputChunk } from './output-chunks.ts';

const chunk = (stream: OutputChunk['stream'], text: string, atNs = 1n): OutputChunk => ({
  stream,
  atNs,
  bytes: Buffer.from(text),
});
const shown = (lines: ReturnType<LineCutter['push']>) =>
  lines.map(({ stream, bytes, atNs }) => [stream, Buffer.from(bytes).toString(), Number(atNs)]);

test('a line has the time of its first byte, however its bytes came', () => {
  const cutter = new LineCutter();
  expect(shown(cutter.push([chunk('stdout', 'a\nb', 1n), chunk('stdout', 'c\n\nd', 2n)]))).toEqual([
    ['stdout', 'a\n', 1],
    ['stdout', 'bc\n', 1],
    ['stdout', '\n', 2],
  ]);
  expect(shown(cutter.flush())).toEqual([['stdout', 'd', 2]]);
  expect(cutter.flush()).toEqual([]);
});

test('two streams do not cut each other’s lines', () => {
  const cutter = new LineCutter();
  expect(shown(cutter.push([chunk('stdout', 'ou'), chunk('stderr', 'err\n'), chunk('stdout', 't\n')]))).toEqual([
    ['stderr', 'err\n', 1],
    ['stdout', 'out\n', 1],
  ]);
});

test('a run that begins ends the line of the one before', () => {
  const cutter = new LineCutter();
  expect(shown(cutter.push([chunk('stdout', 'hi'), chunk('begin', ''), chunk('stdout', 'there\n', 5n)]))).toEqual([
    ['stdout', 'hi', 1],
    ['stdout', 'there\n', 5],
  ]);
});

test('a line that does not end is cut at 16 KiB, and nothing of it is lost', () => {
  const cutter = new LineCutter();
  const long = 'x'.repeat(40_000);
  const lines = cutter.push([chunk('stdout', long.slice(0, 10_000)), chunk('stdout', `${long.slice(10_000)}\nnext\n`)]);
  expect(lines.map(({ bytes }) => bytes.length)).toEqual([16_384, 16_384, 7_233, 5]);
  expect(Buffer.concat(lines.map(({ bytes }) => bytes)).toString()).toBe(`${long}\nnext\n`);
});
