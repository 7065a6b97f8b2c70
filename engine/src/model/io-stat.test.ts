import { expect, test } from 'vitest';
import { parseBlkio, parseIoStat } from './io-stat.ts';

const io = {
  major: 8,
  minor: 16,
  readBytes: 1282048,
  writeBytes: 2195456,
  readOperations: 124,
  writeOperations: 104,
};

test('v1: bytes and operations of each device; totals are left out', () => {
  const lines = (read: number, write: number) =>
    `8:16 Read ${read}\n8:16 Write ${write}\n8:16 Sync 9\n8:16 Total 9\nTotal 9\n`;
  expect(parseBlkio(lines(1282048, 2195456), lines(124, 104))).toEqual([io]);
  expect(parseBlkio('7:0 Read 5\n', '')).toEqual([
    { major: 7, minor: 0, readBytes: 5, writeBytes: 0, readOperations: 0, writeOperations: 0 },
  ]);
});

test('v2: the same of io.stat; a device that did nothing has no counters', () => {
  expect(parseIoStat('8:16 rbytes=1282048 wbytes=2195456 rios=124 wios=104 dbytes=0 dios=0\n253:0 \n')).toEqual([io]);
});

test('what is no device or number is passed over', () => {
  expect(parseBlkio('x Read 1\n8:0 Read y\n8:0 Read\nTotal 0', '\0')).toEqual([]);
  expect(parseIoStat('rbytes=1\n8:0 rbytes=z constructor=1 wios\n')).toEqual([]);
});
