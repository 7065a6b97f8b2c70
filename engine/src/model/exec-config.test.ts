import { expect, test } from 'vitest';
import { type ExecState, inspectExec } from './exec-config.ts';

const state: ExecState = {
  id: 'e1',
  containerId: 'c1',
  config: {
    Cmd: ['sh', '-c', 'exit 2'],
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: false,
    Tty: true,
    DetachKeys: 'ctrl-a',
    Env: [],
    User: '1000',
    WorkingDir: '/tmp',
    Privileged: false,
    ConsoleSize: null,
  },
  running: false,
  exitCode: 2,
  pid: 42_000,
  canRemove: false,
};

test('an exec is told as moby’s swagger has it, its keys as bytes', () => {
  expect(inspectExec(state)).toEqual({
    ID: 'e1',
    Running: false,
    ExitCode: 2,
    ProcessConfig: { tty: true, entrypoint: 'sh', arguments: ['-c', 'exit 2'], privileged: false, user: '1000' },
    OpenStdin: true,
    OpenStderr: false,
    OpenStdout: true,
    CanRemove: false,
    ContainerID: 'c1',
    DetachKeys: btoa('ctrl-a'),
    Pid: 42_000,
  });
});

test('without a user there is none, and no exit code before the end', () => {
  const plain = inspectExec({ ...state, exitCode: null, config: { ...state.config, User: '', DetachKeys: '' } });
  expect(plain.ProcessConfig).not.toHaveProperty('user');
  expect([plain.ExitCode, plain.DetachKeys]).toEqual([null, '']);
});
