import { expect, test } from 'vitest';
import { frameHead, frames } from './stream-frames.ts';

test('a frame is stream, zeros, a big-endian length', () => {
  expect([...frameHead('stdout', 3)]).toEqual([1, 0, 0, 0, 0, 0, 0, 3]);
  expect([...frameHead('stderr', 0x0102_0304)]).toEqual([2, 0, 0, 0, 1, 2, 3, 4]);
});

test('pieces become frames one after the other', () => {
  const bytes = frames([
    { stream: 'stdout', bytes: Buffer.from('ex\n') },
    { stream: 'stderr', bytes: Buffer.from('!') },
  ]);
  expect(bytes.toString('latin1')).toBe('\x01\0\0\0\0\0\0\x03ex\n\x02\0\0\0\0\0\0\x01!');
  expect(frames([]).length).toBe(0);
});
