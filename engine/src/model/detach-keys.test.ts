import { expect, test } from 'vitest';
import { DetachWatch, parseDetachKeys } from './detach-keys.ts';

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

test('keys are characters and control characters', () => {
  expect([...parseDetachKeys('')]).toEqual([16, 17]);
  expect([...parseDetachKeys('ctrl-a,a')]).toEqual([1, 97]);
  expect([...parseDetachKeys('ctrl-@,ctrl-[,ctrl-_,ctrl-^,ctrl-],ctrl-\\')]).toEqual([0, 27, 31, 30, 29, 28]);
  expect([...parseDetachKeys('Q,1')]).toEqual([81, 49]);
});

test.each(['ctrl-', 'ctrl-1', 'shift-a', 'ab', 'é'])('"%s" is refused in Docker’s words', (keys) => {
  expect(() => parseDetachKeys(keys)).toThrow(`Unknown character: '${keys}'`);
});

test('the keys are found however they are cut, and nothing before them is lost', () => {
  const watch = new DetachWatch(parseDetachKeys('ctrl-p,ctrl-q'));
  expect(watch.take(Buffer.from('ls\n\x10'))).toEqual({ input: Uint8Array.from(Buffer.from('ls\n')), detached: false });
  expect(watch.take(Buffer.from('\x11rest')).detached).toBe(true);
});

test('a beginning that leads to nothing is input', () => {
  const watch = new DetachWatch(parseDetachKeys('ctrl-p,ctrl-q'));
  expect(text(watch.take(Buffer.from('a\x10b')).input)).toBe('a\x10b');
  expect(text(watch.take(Buffer.from('\x10')).input)).toBe('');
  expect(text(watch.take(Buffer.from('\x10')).input)).toBe('\x10'); // the second one may begin the keys
  expect(text(watch.rest())).toBe('\x10');
  expect(text(watch.rest())).toBe('');
});

test('keys that begin like themselves are found after a false start', () => {
  const watch = new DetachWatch(parseDetachKeys('a,a,b'));
  expect(watch.take(Buffer.from('xaaab!'))).toEqual({ input: Uint8Array.from(Buffer.from('xa')), detached: true });
});
