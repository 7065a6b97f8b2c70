import { expect, test } from 'vitest';
import { AARCH64_SYSCALLS, SYSCALL_TABLE, X86_64_SYSCALLS } from './syscall-table.ts';

test.each(['x86_64', 'aarch64'] as const)('%s gives every call a number of its own', (architecture) => {
  const numbers = Object.values(SYSCALL_TABLE[architecture]);
  expect(new Set(numbers).size).toBe(numbers.length);
  expect(numbers.every((number) => Number.isInteger(number) && number >= 0 && number < 512)).toBe(true);
});

test('calls that the engine cannot do without have the numbers of the kernel’s own tables', () => {
  expect(X86_64_SYSCALLS).toMatchObject({ mount: 165, setns: 308, execve: 59, seccomp: 317, openat: 257 });
  expect(AARCH64_SYSCALLS).toMatchObject({ mount: 40, setns: 268, execve: 221, seccomp: 277, openat: 56 });
});

test('since 424 a call has one number on every architecture', () => {
  const arm: Partial<Record<string, number>> = AARCH64_SYSCALLS;
  const shared = Object.entries(X86_64_SYSCALLS).filter(([, number]) => number >= 424);
  expect(shared.length).toBeGreaterThan(40);
  for (const [name, number] of shared) expect([name, arm[name]]).toEqual([name, number]);
});
