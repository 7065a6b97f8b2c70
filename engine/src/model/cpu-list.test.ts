import { expect, test } from 'vitest';
import { isAvailable, parseCpuList } from './cpu-list.ts';

test('lists of numbers and ranges, in any order and more than once', () => {
  expect([...parseCpuList('0,3-4,7,8-10')]).toEqual([0, 3, 4, 7, 8, 9, 10]);
  expect([...parseCpuList('0-0,0,1-2')]).toEqual([0, 1, 2]);
  expect([...parseCpuList('03,+1-3')]).toEqual([3, 1, 2]);
  expect(parseCpuList('').size).toBe(0);
});

test.each(['this', '1--', '-1', '1-10,,2', ',', '3-1', '1-2-3', ' 1', '0x1', '1e3'])('"%s" is no list', (text) => {
  expect(() => parseCpuList(text)).toThrow(new RangeError(`invalid format: ${text}`));
});

test('a range that nobody has is refused before it costs memory', () => {
  expect(() => isAvailable('1-9223372036854775807', '0-1')).toThrow('value of out range, maximum is 8192');
  expect(() => isAvailable('9000', '0-9000')).not.toThrow();
});

test('available is what is all there', () => {
  expect(isAvailable('0-1', '0-3')).toBe(true);
  expect(isAvailable('', '')).toBe(true);
  expect(isAvailable('3-4', '0-3')).toBe(false);
  expect(isAvailable('0', '')).toBe(false);
});
