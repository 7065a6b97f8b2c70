// The lesson's page as the tests see it: opening it, its terminals' text, typing, and what the browser complained of.
import { join } from 'node:path';
import { expect, type Locator, type Page } from '@playwright/test';
import { PrismaLibSql } from '@prisma/adapter-libsql';

/** The lab writes to the same database: a hang guard for who comes second. */
const BUSY_MS = 10_000;

export const LESSON = '/learn/B/b2-pid';

/** What stands on a terminal's screen. xterm draws on a canvas; its screen reader mode puts the lines into the page. */
export const screen = (page: Page, terminal = 1): Locator =>
  page.getByRole('tabpanel', { name: `Terminal ${terminal}` }).locator('.xterm-accessibility-tree');

/** The lab has one learner, so tests would find each other's predictions: they begin without any. */
export async function forgetProgress(): Promise<void> {
  const directory = process.env['DRYDOCK_E2E'] ?? '';
  const connection = await new PrismaLibSql({
    url: `file:${join(directory, 'root-lab/lab.db')}`,
    timeout: BUSY_MS,
  }).connect();
  await connection.executeScript('PRAGMA foreign_keys = ON; DELETE FROM Enrolment;');
  await connection.dispose();
}

/** Opens a step as a learner who never was here. The reset takes a new sandbox, and begins every step in it anew. */
export async function openFresh(page: Page, step: string): Promise<void> {
  await forgetProgress();
  await page.goto(`${LESSON}?step=${step}`);
  await expect(page.getByRole('group', { name: 'Sandbox' })).toContainText('Running');
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Reset the sandbox' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.getByRole('button', { name: 'Screen reader mode' }).click();
  await expect(screen(page)).toContainText('root@dock');
}

/** Types lines into a terminal, each once the prompt of the one before is there. */
export async function type(page: Page, terminal: number, lines: readonly string[]): Promise<void> {
  await page.getByRole('tab', { name: `Terminal ${terminal}` }).click();
  const input = page.getByRole('tabpanel', { name: `Terminal ${terminal}` }).getByRole('textbox');
  await expect(input).toBeFocused();
  for (const line of lines) {
    await expect(screen(page, terminal)).toHaveText(/root@dock:\S*#\s*$/);
    await page.keyboard.type(line);
    await page.keyboard.press('Enter');
    await expect(screen(page, terminal)).toContainText(line);
  }
}

/** Collects what the browser complains of: errors of scripts, the console's errors, answers that were refused. */
export function complaints(page: Page): string[] {
  const found: string[] = [];
  page.on('pageerror', (error) => found.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') found.push(message.text());
  });
  return found;
}
