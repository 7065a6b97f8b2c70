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
      (file) => file !== '/usr/include/stdio.h',
    ).map(({ name }) => name),
  ).toEqual(['libc6-dev']);
  expect(
    missingPackages(
      () => false,
      () => false,
    ),
  ).toEqual(HOST_PACKAGES);
});

it('names the command for other distributions, and nothing for those it does not know', () => {
  expect(installCommand('NAME=Fedora\nID=fedora\n', ['gcc', 'libc6-dev'])).toBe(
    'dnf install gcc glibc-devel glibc-static',
  );
  expect(installCommand('ID=endeavouros\nID_LIKE="arch"\n', ['mount', 'util-linux'])).toBe('pacman -S util-linux');
  expect(installCommand('ID=other\n', ['gcc'])).toBeNull();
});
