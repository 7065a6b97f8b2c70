import { openSync, closeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { traceTo, type Touch } from './trace.ts';
import { readPrototype, tracedCall } from './traced-call.ts';

test('a prototype gives the name of the call and of its parameters', () => {
  expect(readPrototype('int fcntl(int fd, int command, long argument)')).toEqual({
    name: 'fcntl',
    parameters: ['fd', 'command', 'argument'],
  });
  expect(readPrototype('long recv(int fd, _Out_ uint8_t *bytes, size_t length, int flags)').parameters).toEqual([
    'fd',
    'bytes',
    'length',
    'flags',
  ]);
});

test('calls are noted as strace prints them, and only inside the work that is listened to', async () => {
  const touches: Touch[] = [];
  const call = tracedCall(
    'int example(int fd, const char *path, void *bytes)',
    () => -1,
    () => 'EPERM',
  );
  const fd = openSync('/dev/null', 'r');
  call(fd, '/before', null);
  await traceTo(
    (touch) => touches.push(touch),
    async () => {
      await Promise.resolve();
      call(fd, Buffer.from('/during\0'), Buffer.alloc(3));
    },
  );
  call(fd, '/after', null);
  closeSync(fd);
  expect(touches).toHaveLength(1);
  expect(touches[0]).toMatchObject({
    name: 'example',
    args: [`${fd}</dev/null>`, '"/during"', '<3 bytes>'],
    result: -1,
    errno: 'EPERM',
  });
});

test('syscall(2) by number is noted under its name', async () => {
  const touches: Touch[] = [];
  const call = tracedCall(
    'long syscall(long number, int pid, unsigned int flags)',
    () => 5,
    () => '',
  );
  await traceTo(
    (touch) => touches.push(touch),
    async () => {
      call(434, 1, 0);
    },
  );
  expect(touches[0]).toMatchObject({ name: 'pidfd_open', args: ['1', '0'], result: 5, errno: null });
});

test('what goes on after the work has ended is not told', async () => {
  const touches: Touch[] = [];
  const call = tracedCall(
    'int late(int value)',
    () => 0,
    () => '',
  );
  let later: Promise<void> = Promise.resolve();
  let go = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  await traceTo(
    (touch) => touches.push(touch),
    async () => {
      later = gate.then(() => void call(1));
    },
  );
  go();
  await later;
  expect(touches).toEqual([]);
});
