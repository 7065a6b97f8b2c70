import { expect, test } from 'vitest';
import { goDurationNs, parseTimeNs, rfc3339Nano, rfc3339NanoFixed } from './go-time.ts';

const now = 1_795_207_292_000_000_001n;

test.each([
  ['1795207229', 1_795_207_229_000_000_000n],
  ['1795207229.5', 1_795_207_229_500_000_000n],
  ['1795207229.000000001', 1_795_207_229_000_000_001n],
  ['-1.5', -1_500_000_000n],
  ['0', 0n],
  ['2026-11-20T20:42:12Z', 1_795_207_332_000_000_000n],
  ['2026-11-20T20:42:12.25Z', 1_795_207_332_250_000_000n],
  ['2026-11-20T22:42:12.000000009+02:00', 1_795_207_332_000_000_009n],
  ['2026-11-20T20:42Z', 1_795_207_320_000_000_000n],
  ['10m', now - 600_000_000_000n],
  ['1h30m', now - 5_400_000_000_000n],
  ['1.5s', now - 1_500_000_000n],
  ['-2s', now + 2_000_000_000n],
])('%s is a point in time', (text, ns) => {
  expect(parseTimeNs(text, now)).toBe(ns);
});

test('a date without a zone is local', () => {
  expect(parseTimeNs('2026-11-20', now)).toBe(BigInt(new Date(2026, 10, 20).getTime()) * 1_000_000n);
});

test.each(['', 'yesterday', '10', '1h30', '2026-13-45', '1.2.3'])('"%s" is no duration', (text) => {
  expect(goDurationNs(text)).toBeNull();
});
test.each(['yesterday', '2026-13-45', '12 h', ''])('"%s" is refused', (text) => {
  expect(() => parseTimeNs(text, now)).toThrow('invalid value for time');
});

test('times are written with nine digits, or as many as they need', () => {
  expect(rfc3339NanoFixed(1_795_207_332_250_000_000n)).toBe('2026-11-20T20:42:12.250000000Z');
  expect(rfc3339Nano(1_795_207_332_250_000_000n)).toBe('2026-11-20T20:42:12.25Z');
  expect(rfc3339Nano(1_795_207_330_000_000_000n)).toBe('2026-11-20T20:42:10Z');
  expect(rfc3339Nano(1_795_207_332_000_000_001n)).toBe('2026-11-20T20:42:12.000000001Z');
});
