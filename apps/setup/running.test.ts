import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readRunning, removeRunning, startTicks, writeRunning } from './running.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-running-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('finds the start that runs, and none once it is gone or its pid is another’s', () => {
  const file = join(folder, 'run/start.json');
  expect(readRunning(file)).toBeNull();
  writeRunning(file, 'http://127.0.0.1:3000');
  expect(readRunning(file)).toEqual({
    pid: process.pid,
    startTicks: startTicks(process.pid),
    url: 'http://127.0.0.1:3000',
  });
  writeFileSync(file, JSON.stringify({ pid: process.pid, startTicks: '1', url: 'http://127.0.0.1:3000' }));
  expect(readRunning(file)).toBeNull();
  writeRunning(file, 'http://127.0.0.1:3000');
  removeRunning(file);
  expect(readRunning(file)).toBeNull();
});

it('knows no start time of a process that is not there', () => {
  expect(startTicks(4_194_305)).toBeNull();
});
