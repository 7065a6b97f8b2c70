import { expect, test } from 'vitest';
import { failedExitCode } from './exec-config.ts';

test('what can’t be started has a shell’s exit code', () => {
  expect(failedExitCode('exec: "x": executable file not found in $PATH')).toBe(127);
  expect(failedExitCode('exec: "/x": stat /x: no such file or directory')).toBe(127);
  expect(failedExitCode('exec: "/etc": permission denied')).toBe(126);
});
