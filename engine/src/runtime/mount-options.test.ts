import { expect, test } from 'vitest';
import { MOUNT_ATTR, MS } from '../launch/mounts.ts';
import { parseMountOptions, parsePropagation } from './mount-options.ts';

test('words are sorted into flags, attributes and what the file system itself understands', () => {
  const options = parseMountOptions(['nosuid', 'ro', 'strictatime', 'mode=755', 'size=64m']);
  expect(options.flags).toBe(MS.NOSUID | MS.RDONLY | MS.STRICTATIME);
  expect(options.set).toBe(MOUNT_ATTR.NOSUID | MOUNT_ATTR.RDONLY | MOUNT_ATTR.STRICTATIME);
  // The kernel wants the field of access times cleared before one is set (mount_setattr(2), EINVAL).
  expect(options.clear).toBe(MOUNT_ATTR.ATIME);
  expect(options.data).toBe('mode=755,size=64m');
});

test('the last word on a matter counts', () => {
  expect(parseMountOptions(['ro', 'rw'])).toMatchObject({ flags: 0, set: 0n, clear: MOUNT_ATTR.RDONLY });
  expect(parseMountOptions(['exec', 'noexec'])).toMatchObject({ flags: MS.NOEXEC, set: MOUNT_ATTR.NOEXEC, clear: 0n });
  expect(parseMountOptions(['noatime', 'relatime']).set).toBe(MOUNT_ATTR.RELATIME);
});

test.each([
  [['rbind', 'rprivate'], { bind: true, recursive: true, propagation: { kind: MS.PRIVATE, recursive: true } }],
  [
    ['bind', 'rro', 'shared'],
    { bind: true, recursive: false, recursiveReadOnly: true, propagation: { kind: MS.SHARED, recursive: false } },
  ],
  [['defaults'], { bind: false, propagation: null, data: '' }],
])('%j', (words, wanted) => {
  expect(parseMountOptions(words)).toMatchObject(wanted);
});

test('only words for propagation name one', () => {
  expect(parsePropagation('rslave')).toEqual({ kind: MS.SLAVE, recursive: true });
  expect([parsePropagation('relatime'), parsePropagation('ro'), parsePropagation('rr')]).toEqual([null, null, null]);
});
