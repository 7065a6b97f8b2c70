import { expect, test } from 'vitest';
import { requestedMinor, withoutVersion } from './version-prefix.ts';

test('the version is taken off the path, and only off its front', () => {
  expect(withoutVersion('/v1.45/info')).toBe('/info');
  expect(withoutVersion('/info')).toBe('/info');
  expect(withoutVersion('/images/v1.45/json')).toBe('/images/v1.45/json');
});

test('a version out of range is refused in Docker’s words', () => {
  expect(() => withoutVersion('/v1.51/info')).toThrow(
    'client version 1.51 is too new. Maximum supported API version is 1.50',
  );
  expect(() => withoutVersion('/v1.9/info')).toThrow(
    'client version 1.9 is too old. Minimum supported API version is 1.24',
  );
  expect(() => withoutVersion('/v2.0/info')).toThrow('too new');
});

test('routes can ask which version a client speaks', () => {
  expect(requestedMinor('/v1.41/volumes/prune')).toBe(41);
  expect(requestedMinor('/volumes/prune?filters=/v1.2/')).toBe(50);
});
