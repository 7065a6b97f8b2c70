// How launch is compiled; the set-up and the tests both ask here. Never runs anything itself.
import { join } from 'node:path';

/** Everything whose change asks for a new compilation. */
export const LAUNCH_INPUTS = ['launch.c', 'keep.c', 'plan.h', 'sys.h', 'compile.mjs'].map((name) =>
  join(import.meta.dirname, name),
);

/**
 * Arguments of `cc`. Static and without a C library: launch runs where the host's libc is not, and every container has
 * a keeper, so each page of it counts. -fno-tree-loop-distribute-patterns: a loop in memset must not become a call of memset.
 * @param {string} output
 */
export function launchArguments(output) {
  const checks = '-std=gnu11 -O2 -Wall -Wextra -Werror';
  const bare = '-static -nostdlib -ffreestanding -fno-pie -no-pie -fno-stack-protector';
  const small = '-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns -Wl,--build-id=none -Wl,-z,norelro';
  const sources = LAUNCH_INPUTS.filter((path) => path.endsWith('.c'));
  return [...`${checks} ${bare} ${small}`.split(' '), '-o', output, ...sources];
}
