import { expect, test } from 'vitest';
import { globMatch } from './glob.ts';

test.each([
  ['busybox*', 'busybox:latest', true],
  ['*box', 'busybox', true],
  ['bus?box', 'busybox', true],
  ['*', 'you/app', false],
  ['*/*', 'you/app', true],
  ['you/*:v[0-9]', 'you/app:v2', true],
  ['you/*:v[^0-9]', 'you/app:v2', false],
  ['a.b', 'axb', false],
  [String.raw`a\*b`, 'a*b', true],
  [String.raw`a\*b`, 'axb', false],
  ['', '', true],
  ['(a+)+$', '(a+)+$', true],
] as const)('%s against %s', (pattern, text, expected) => {
  expect(globMatch(pattern, text)).toBe(expected);
});

test.each(['[', 'a[]', String.raw`a\\`.slice(0, 2), '[b-a]'])('%s is no pattern', (pattern) => {
  expect(() => globMatch(pattern, 'x')).toThrow('syntax error in pattern');
});
