import { expect, test } from 'vitest';
import { bind, checked } from './libc.ts';

test('a failed call says which call, on what, and why', () => {
  const open = bind('int open(const char *path, int flags)');
  expect(() => checked('open', '/no/such/file', open('/no/such/file', 0))).toThrow(
    'Cannot open "/no/such/file": ENOENT',
  );
  expect(checked('getpid', 'self', bind('int getpid()')())).toBe(process.pid);
});
