import { expect, test } from 'vitest';
import { CLONE_NEW, NAMESPACE_TYPES } from './namespace.ts';

test('every namespace type has its own clone flag', () => {
  const flags = NAMESPACE_TYPES.map((type) => CLONE_NEW[type]);
  expect(new Set(flags).size).toBe(8);
  expect(flags.every((flag) => flag.toString(2).replaceAll('0', '') === '1')).toBe(true);
});
