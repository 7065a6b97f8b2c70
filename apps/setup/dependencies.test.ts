import { expect, it } from 'vitest';
import { lockSatisfied } from './dependencies.mjs';

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
