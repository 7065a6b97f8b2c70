import { expect, test } from 'vitest';
import { bind, bindInThread, checked } from './libc.ts';

test('a failed call says which call, on what, and why', () => {
  const open = bind('int open(const char *path, int flags)');
  expect(() => checked('open', '/no/such/file', open('/no/such/file', 0))).toThrow(
    'Cannot open "/no/such/file": ENOENT',
  );
  expect(checked('getpid', 'self', bind('int getpid()')())).toBe(process.pid);
});

test('a call in a thread of the pool fails with its own errno', async () => {
  await expect(bindInThread('int close(int fd)')('descriptor -1', -1)).rejects.toThrow(
    'Cannot close "descriptor -1": EBADF',
  );
  await expect(bindInThread('int usleep(unsigned int microseconds)')('1 ms', 1000)).resolves.toBe(0);
});
