import { expect, test } from 'vitest';
import { hexOf, isDigest, parseDigest, shortId } from './digest.ts';

const HEX = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('a sha256 digest is taken as it is', () => {
  expect(parseDigest(`sha256:${HEX}`)).toBe(`sha256:${HEX}`);
  expect(hexOf(`sha256:${HEX}`)).toBe(HEX);
  expect(shortId(`sha256:${HEX}`)).toBe('e3b0c44298fc');
  expect(shortId(HEX)).toBe('e3b0c44298fc');
});

test.each([
  ['', 'invalid checksum digest format'],
  [HEX, 'invalid checksum digest format'],
  ['sha256:', 'invalid checksum digest format'],
  [`sha256:${HEX.toUpperCase()}`, 'invalid checksum digest format'],
  [`sha256:../${HEX}`, 'invalid checksum digest format'],
  [`sha256:${HEX}00`, 'invalid checksum digest length'],
  ['sha256:abcd', 'invalid checksum digest length'],
  [`md5:${HEX.slice(32)}`, 'unsupported digest algorithm'],
  [`sha512:${HEX}${HEX}`, 'unsupported digest algorithm'],
])('%j is refused', (text, message) => {
  expect(isDigest(text)).toBe(false);
  expect(() => parseDigest(text)).toThrow(message);
});
