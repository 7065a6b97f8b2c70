import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Supervised, restartDelayMs } from './supervisor.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-supervisor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function supervise(script: string, said: string[] = [], gaveUp: (error: Error) => void = () => {}) {
  return new Supervised({
    title: 'test process',
    log: join(folder, 'logs/test.log'),
    ready: /^ready/,
    command: () => ({ command: process.execPath, args: ['-e', script], env: { FOLDER: folder } }),
    say: (text) => said.push(text),
    giveUp: gaveUp,
  });
}

it('waits longer after each death, and gives up after six within a minute', () => {
  expect([1, 2, 3, 4, 5].map((deaths) => restartDelayMs(Array<number>(deaths).fill(1_000), 1_000))).toEqual([
    500, 1_000, 2_000, 4_000, 8_000,
  ]);
  expect(restartDelayMs(Array<number>(6).fill(1_000), 1_000)).toBeNull();
  expect(restartDelayMs([...Array<number>(6).fill(1_000), 70_000], 70_000)).toBe(500);
});

it('is started once the ready line was read, hands over only the environment it was given, and stops', async () => {
  const child = supervise(`console.log('ready', Object.keys(process.env).sort().join()); setInterval(() => {}, 1000)`);
  await child.start();
  const { pid } = child;
  // The ready line is seen before the log's own stream has written it.
  const log = () => readFileSync(join(folder, 'logs/test.log'), 'utf8');
  await expect.poll(log, { timeout: 10_000 }).toBe('ready FOLDER,NODE_ENV,PATH\n');
  await child.stop();
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
});

it('fails with the last lines when the process ends before it is ready', async () => {
  const child = supervise(`console.error('no such table'); process.exit(3)`);
  await expect(child.start()).rejects.toMatchObject({
    message: 'The test process does not run: it ended with code 3.',
    lastLines: ['no such table'],
  });
});

it('starts again what died, and says so', async () => {
  const said: string[] = [];
  const child = supervise(`console.log('ready'); setInterval(() => {}, 1000)`, said);
  await child.start();
  const { pid } = child;
  process.kill(pid ?? 0, 'SIGKILL');
  while (!said.includes('The test process serves again.')) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(said[0]).toContain('The test process was ended by SIGKILL; it is started again.');
  expect(child.pid).not.toBe(pid);
  await child.stop();
});
