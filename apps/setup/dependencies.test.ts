import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockSatisfied, missingFromLock } from './dependencies.mjs';

const wanted = {
  packages: {
    '': { version: '1.0.0' },
    engine: { version: '1.0.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  },
};
const a = { version: '1.0.0', integrity: 'sha512-a' };

it('takes what npm recorded when every package is there, other platforms’ binaries apart', () => {
  expect(lockSatisfied(wanted, { packages: { 'node_modules/a': a } })).toBe(true);
});

it('asks for an installation when a package is absent, older, or other bytes', () => {
  expect(lockSatisfied(wanted, { packages: {} })).toBe(false);
  expect(lockSatisfied(wanted, { packages: { 'node_modules/a': { ...a, version: '0.9.0' } } })).toBe(false);
  expect(lockSatisfied(wanted, { packages: { 'node_modules/a': { ...a, integrity: 'sha512-b' } } })).toBe(false);
});

it('finds optional packages that the lock forgot, and none in ours: npm ci takes it', () => {
  const wants = { version: '1.0.0', optionalDependencies: { '@a/other-os': '1.0.0', '@a/this-os': '1.0.0' } };
  expect(missingFromLock({ packages: { 'node_modules/a': wants, 'node_modules/@a/this-os': {} } })).toEqual([
    '@a/other-os',
  ]);
  const ours = readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8');
  expect(missingFromLock(JSON.parse(ours))).toEqual([]);
});
