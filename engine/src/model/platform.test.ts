import { expect, test } from 'vitest';
import { parsePlatform } from './platform.ts';

const host = { os: 'linux', architecture: 'amd64' };

test.each([
  ['linux', 'linux', 'amd64'],
  ['arm64', 'linux', 'arm64'],
  ['linux/x86_64', 'linux', 'amd64'],
  ['Linux/aarch64/v8', 'linux', 'arm64'],
  ['windows/amd64', 'windows', 'amd64'],
])('%s', (text, os, architecture) => {
  expect(parsePlatform(text, host)).toEqual({ os, architecture });
});

test.each(['foobar', 'foobar/amd64', 'linux/odd', ''])('%j is refused', (text) => {
  expect(() => parsePlatform(text, host)).toThrow(/unknown operating system|unknown architecture/);
});
