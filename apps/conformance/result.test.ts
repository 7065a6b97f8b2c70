import { expect, test } from 'vitest';
import { brokenOf, countByFile, countTable, idsOf, newlyPassing, type TestResult } from './result.ts';

const results: TestResult[] = [
  { suite: 'one', file: 'a.py', id: 'a::x', outcome: 'passed' },
  { suite: 'one', file: 'a.py', id: 'a::y', outcome: 'failed', detail: 'assert 1 == 2' },
  { suite: 'one', file: 'b.py', id: 'b::z', outcome: 'skipped', detail: 'too old' },
];

test('the table counts each file and all of them', () => {
  expect(countTable(countByFile(results))).toBe(
    [
      'suite  file  passed  failed  skipped',
      'one    a.py       1       1        0',
      'one    b.py       0       0        1',
      '       all        1       1        1',
    ].join('\n'),
  );
});

test('a test that must pass is broken when it fails, is skipped, or is not there', () => {
  const mustPass = idsOf('# what a dockerd passes\na::x\n\na::y\nb::z\nc::gone\n');
  expect(brokenOf(mustPass, results)).toEqual([
    { id: 'a::y', reason: 'failed: assert 1 == 2' },
    { id: 'b::z', reason: 'skipped: too old' },
    { id: 'c::gone', reason: 'not run' },
  ]);
  expect(brokenOf(mustPass, results, (id) => id.startsWith('a'))).toHaveLength(1);
  expect(brokenOf(['a::x'], results)).toEqual([]);
});

test('what passes and is not on the list yet is named', () => {
  expect(newlyPassing(['b::z'], results)).toEqual(['a::x']);
});
