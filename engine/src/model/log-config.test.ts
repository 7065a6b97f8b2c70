import { expect, test } from 'vitest';
import { logPolicy } from './log-config.ts';

const keep = (Type: string, Config: Record<string, string> = {}) => logPolicy({ Type, Config }).keepBytes;

test('without options json-file keeps everything and local what Docker’s keeps', () => {
  expect(logPolicy({ Type: '', Config: {} })).toEqual({ driver: 'json-file', keepBytes: 0, labels: [], env: [] });
  expect(keep('local')).toBe(100_000_000);
  expect(keep('none')).toBeGreaterThan(0);
});

test('max-size times max-file is what is kept', () => {
  expect(keep('json-file', { 'max-size': '10k' })).toBe(10_240);
  expect(keep('json-file', { 'max-size': '10m', 'max-file': '3' })).toBe(3 * 10 * 2 ** 20);
  expect(keep('local', { 'max-size': '1.5k', 'max-file': '2' })).toBe(3072);
  expect(keep('local', { 'max-file': '2' })).toBe(40_000_000);
  expect(keep('json-file', { 'max-file': '2' })).toBe(0);
});

test('labels and variables for --details are named', () => {
  const policy = logPolicy({ Type: 'json-file', Config: { labels: 'a,b', env: 'HOME', tag: '{{.ID}}' } });
  expect([policy.labels, policy.env]).toEqual([['a', 'b'], ['HOME']]);
});

test.each([
  ['syslog', {}, "no log driver named 'syslog' is registered"],
  ['asdf', {}, "logger: no log driver named 'asdf' is registered"],
  ['json-file', { 'max-sise': '1k' }, "unknown log opt 'max-sise' for json-file log driver"],
  ['local', { labels: 'a' }, "unknown log opt 'labels' for local log driver"],
  ['json-file', { 'max-size': 'much' }, 'invalid value for max-size: much'],
  ['json-file', { 'max-size': '0' }, 'invalid value for max-size: 0'],
  ['json-file', { 'max-size': '1k', 'max-file': '0' }, 'max-file cannot be less than 1'],
])('%s with %j is refused', (Type, Config, message) => {
  expect(() => logPolicy({ Type, Config })).toThrow(message);
});
