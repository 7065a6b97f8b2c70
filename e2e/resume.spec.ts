// What a learner does not lose: a broken connection, a killed lab server, a killed engine. Keys typed meanwhile wait.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Page, test } from '@playwright/test';
import { openFresh, screen, type } from './lesson-page.ts';

/** Kills a process of the lab that these tests run against, as the kernel would for want of memory. */
function kill(program: 'server.mjs' | 'engine.mjs'): void {
  const running = join(process.env['DRYDOCK_E2E'] ?? '', 'run/start.json');
  const { pid }: { pid: number } = JSON.parse(readFileSync(running, 'utf8'));
  const children = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' });
  const line = children.split('\n').find((each) => each.includes(`build/${program}`));
  if (!line) throw new Error(`no ${program} among the processes of the lab:\n${children}`);
  process.kill(Number(line.trim().split(' ')[0]), 'SIGKILL');
}

const offline = (page: Page) => page.getByText(/^The connection to the lab/).first();

test('a killed lab server: terminal, scroll-back and what was typed meanwhile are there again', async ({ page }) => {
  await openFresh(page, '1-the-trap');
  await type(page, 1, ['unshare --pid bash', 'ls /', 'ls /']);
  const check = page.getByRole('region', { name: 'Check' });
  await expect(check).toContainText('3 of 3 met');
  kill('server.mjs');
  await expect(offline(page)).toBeVisible();
  await page.keyboard.type('echo typed while it was a""way');
  await page.keyboard.press('Enter');
  await expect(screen(page)).toContainText('typed while it was away');
  await expect(screen(page)).toContainText('Cannot allocate memory');
  await expect(check).toContainText('3 of 3 met');
  await expect(offline(page)).toBeHidden();
});

test('a killed engine: sandbox and terminals go on, and the picture follows them again', async ({ page }) => {
  await openFresh(page, '2-a-tree');
  await type(page, 1, ['unshare --pid --fork --mount-proc bash']);
  await expect(page.getByRole('region', { name: 'Check' })).toContainText('2 of 2 met');
  kill('engine.mjs');
  await page.getByRole('button', { name: 'Table' }).click();
  await page.getByRole('textbox', { name: 'Terminal input' }).first().focus();
  await page.keyboard.type('sleep 654 &');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('treegrid').getByRole('row', { name: /sleep/ })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Check' })).toContainText('2 of 2 met');
});

test('a dropped connection: the page comes back by itself, with nothing twice and nothing lost', async ({ page }) => {
  const drops: (() => Promise<void>)[] = [];
  await page.routeWebSocket(/\/socket/, (socket) => {
    const server = socket.connectToServer();
    drops.push(async () => {
      await socket.close();
      await server.close();
    });
  });
  await openFresh(page, '1-the-trap');
  await type(page, 1, ['for n in 1 2 3 4 5 6; do echo count $n; sleep 0.5; done; echo coun""ted']);
  await expect(screen(page)).toContainText('count 2');
  for (const drop of drops.splice(0)) await drop();
  await expect(screen(page)).toContainText('counted');
  const lines = ((await screen(page).textContent()) ?? '').match(/count \d/g);
  expect(lines).toEqual([1, 2, 3, 4, 5, 6].map((n) => `count ${n}`));
  expect(drops.length).toBeGreaterThan(0);
});
