import { expect, it } from 'vitest';
import { HOST_PACKAGES, installCommand, missingPackages } from './host-packages.mjs';

it('asks only for what lacks', () => {
  expect(
    missingPackages(
      () => true,
      () => true,
    ),
  ).toEqual([]);
  expect(
    missingPackages(
      (program) => program !== 'mmdebstrap',
      () => true,
    ).map(({ name }) => name),
  ).toEqual(['mmdebstrap']);
  expect(
    missingPackages(
      () => true,
      (file) => file !== '/usr/include/linux/sched.h',
    ).map(({ name }) => name),
  ).toEqual(['linux-libc-dev']);
  expect(
    missingPackages(
      () => false,
      () => false,
    ),
  ).toEqual(HOST_PACKAGES);
});

it('names the command for other distributions, and nothing for those it does not know', () => {
  expect(installCommand('NAME=Fedora\nID=fedora\n', ['gcc', 'linux-libc-dev'])).toBe('dnf install gcc kernel-headers');
  expect(installCommand('ID=endeavouros\nID_LIKE="arch"\n', ['mount', 'util-linux'])).toBe('pacman -S util-linux');
  expect(installCommand('ID=other\n', ['gcc'])).toBeNull();
});
