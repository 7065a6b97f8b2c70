import { expect, test } from 'vitest';
import { flagFilter, labelsMatch, parseFilters } from './filters.ts';
import { queryFlag, queryNumber } from './query.ts';

test('both ways of writing filters are read', () => {
  const expected = new Map([['label', ['a=b', 'c']]]);
  expect(parseFilters('{"label":{"a=b":true,"c":true}}', ['label'])).toEqual(expected);
  expect(parseFilters('{"label":["a=b","c"]}', ['label'])).toEqual(expected);
  expect(parseFilters(undefined, [])).toEqual(new Map());
  expect(parseFilters('{}', [])).toEqual(new Map());
});

test.each(['garbage', '[]', '"x"', '{"label":1}', '{"label":[1]}', '{"other":["a"]}'])('%s is refused', (text) => {
  expect(() => parseFilters(text, ['label'])).toThrow(expect.objectContaining({ kind: 'invalid_argument' }));
});

test('labels are asked for by name or with their value, all of them, and can be excluded', () => {
  const labels = { a: 'b', c: '' };
  const match = (filters: object) => labelsMatch(labels, parseFilters(JSON.stringify(filters), ['label', 'label!']));
  expect(match({ label: ['a'] })).toBe(true);
  expect(match({ label: ['a=b', 'c'] })).toBe(true);
  expect(match({ label: ['a=b', 'd'] })).toBe(false);
  expect(match({ label: ['a=c'] })).toBe(false);
  expect(match({ 'label!': ['a=c'] })).toBe(true);
  expect(match({ 'label!': ['c'] })).toBe(false);
});

test('a flag is read, and refused when it says both', () => {
  const flag = (values: string[]) => flagFilter(new Map([['dangling', values]]), 'dangling');
  expect(flag(['true'])).toBe(true);
  expect(flag(['0'])).toBe(false);
  expect(flagFilter(new Map(), 'dangling')).toBeUndefined();
  expect(() => flag(['true', 'false'])).toThrow('invalid filter');
  expect(() => flag(['maybe'])).toThrow('invalid filter');
});

test('queries are read as moby does', () => {
  expect(['1', 'True', 'yes'].map((all) => queryFlag({ all }, 'all'))).toEqual([true, true, true]);
  expect(['0', 'false', '', 'None'].map((all) => queryFlag({ all }, 'all'))).toEqual([false, false, false, false]);
  expect(queryFlag({}, 'all', true)).toBe(true);
  expect(queryNumber({ t: '-1' }, 't')).toBe(-1);
  expect(queryNumber({ t: '' }, 't')).toBeUndefined();
  expect(() => queryNumber({ t: '1x' }, 't')).toThrow('no whole number');
});
