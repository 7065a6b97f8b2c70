import { expect, test } from 'vitest';
import { grown, type Holdings } from './holdings.ts';

const before: Holdings = {
  mounts: 2,
  links: 0,
  rules: 12,
  groups: 9,
  loops: 0,
  descriptors: 40,
  processes: 0,
  runFiles: 5,
  rootFiles: 60,
  memoryMib: 80,
};

test('what comes back is no growth, nor is a daemon that breathes', () => {
  expect(grown(before, { ...before, memoryMib: 99, descriptors: 41, rules: 11 })).toEqual([]);
});

test('one mount too many is named', () => {
  expect(grown(before, { ...before, mounts: 3, memoryMib: 180.25 })).toEqual([
    'mounts: 2 before, 3 after',
    'memoryMib: 80 before, 180.3 after',
  ]);
});
