import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { readIfThere } from './atomic-file.ts';

test('a process that goes between the opening of its file and the reading is a file that is not there', async () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  const file = openSync(`/proc/${child.pid}/stat`, 'r');
  child.kill('SIGKILL');
  await once(child, 'exit');
  try {
    expect(() => readFileSync(file)).toThrow('ESRCH');
    expect(readIfThere(`/proc/self/fd/${file}`)).toBe(null);
    expect(readIfThere(`/proc/${child.pid}/stat`)).toBe(null);
  } finally {
    closeSync(file);
  }
});
