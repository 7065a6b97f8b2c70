// For kernel tests: a launch program that is as new as its source, and places for keepers that leave nothing behind.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LAUNCH_INPUTS, launchArguments } from '../../native/compile.mjs';
import { launchPath } from '../kernel/launch-program.ts';

/** Compiles launch when it is missing or older than its source. */
export function freshLaunch(): void {
  const path = launchPath();
  const madeAt = existsSync(path) ? statSync(path).mtimeMs : 0;
  if (LAUNCH_INPUTS.every((input) => statSync(input).mtimeMs <= madeAt)) return;
  mkdirSync(dirname(path), { recursive: true });
  const made = `${path}.${process.pid}`;
  execFileSync('cc', launchArguments(made), { stdio: 'inherit' });
  renameSync(made, path);
}

/** A new directory on a tmpfs for this test run's keepers. */
export function keepersDirectory(): string {
  return mkdtempSync(join('/dev/shm', 'drydock-test-'));
}
