import { expect, test } from 'vitest';
import { execEnv, failedExitCode } from './exec-config.ts';

test('an exec has the container’s environment with its own on top, and TERM where there is a terminal', () => {
  expect(execEnv(['PATH=/bin', 'A=1', 'B=2'], ['A=3', 'C=4', 'B'], false)).toEqual(['PATH=/bin', 'A=3', 'C=4']);
  expect(execEnv(['PATH=/bin'], [], true)).toEqual(['TERM=xterm', 'PATH=/bin']);
  expect(execEnv(['TERM=linux'], [], true)).toEqual(['TERM=linux']);
});

test('what can’t be started has a shell’s exit code', () => {
  expect(failedExitCode('exec: "x": executable file not found in $PATH')).toBe(127);
  expect(failedExitCode('exec: "/x": stat /x: no such file or directory')).toBe(127);
  expect(failedExitCode('exec: "/etc": permission denied')).toBe(126);
});
