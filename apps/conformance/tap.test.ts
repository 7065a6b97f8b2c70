import { expect, test } from 'vitest';
import { tapResults } from './tap.ts';

const ids = (text: string) => tapResults('s', text).map(({ id, outcome }) => `${outcome} ${id}`);

test('an assertion has one id whether it passes or fails', () => {
  const passed = [
    'ok 1 [01-basic] HEAD /_ping : status=200',
    "ok 2 [01-basic] GET version : .ApiVersion ('1.44') ~ 1\\..*",
    'ok 3 [01-basic] GET version : .Os!=',
  ].join('\n');
  const failed = [
    'not ok 1 [01-basic] HEAD /_ping : status',
    '#  expected: 200',
    '#    actual: 404',
    'not ok 2 [01-basic] GET version : .ApiVersion',
    '#  expected: ~ 1\\..*',
    '#    actual: null',
    'not ok 3 [01-basic] GET version : .Os',
    '#  expected: != linux',
    '#    actual: linux',
  ].join('\n');
  const names = (text: string) => tapResults('s', text).map(({ id }) => id);
  expect(names(failed)).toEqual(names(passed));
  expect(tapResults('s', failed)[0]).toMatchObject({ outcome: 'failed', detail: 'expected 200, got 404' });
});

test('ids and times do not enter an id; a repeated assertion is numbered', () => {
  const id = 'f'.repeat(64);
  expect(
    ids(
      `ok 1 [20-c] GET containers/${id}/json : status=200\nok 2 [20-c] GET containers/${'a'.repeat(64)}/json : status=200`,
    ),
  ).toEqual([
    'passed [20-c] GET containers/ID/json : status=200',
    'passed [20-c] GET containers/ID/json : status=200 #2',
  ]);
});

test('what could not be asked is skipped', () => {
  expect(ids('ok 7 [30-volumes] GET volumes: .Name=x # skip - wrong return code')).toEqual([
    'skipped [30-volumes] GET volumes: .Name=x',
  ]);
});
