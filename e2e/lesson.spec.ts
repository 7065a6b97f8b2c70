// A learner takes lesson B2 in a real browser, on a real sandbox: opens, predicts, types, watches, is told, comes back.
import { expect, type Page, test } from '@playwright/test';
import { complaints, forgetProgress, LESSON, openFresh, screen } from './lesson-page.ts';

async function type(page: Page, line: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Terminal input' }).first().focus();
  await page.keyboard.type(line);
  await page.keyboard.press('Enter');
}

test('the catalogue shows the curriculum, and one lesson that is open', async ({ page }) => {
  await forgetProgress();
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('From one process to a running container');
  await expect(page.getByRole('link', { name: /A process tree of your own/ }).first()).toHaveAttribute('href', LESSON);
  await expect(page.getByRole('listitem').filter({ hasText: 'A view of the files' }).last()).toBeVisible();
  await expect(page.getByRole('link', { name: /A view of the files/ })).toHaveCount(0);
});

test('step 1 from start to end: predict, type, watch the tree change, see the verdict, reload, resume', async ({
  page,
}) => {
  const problems = complaints(page);
  await openFresh(page, '1-the-trap');
  const check = page.getByRole('region', { name: 'Check' });
  await expect(check).toContainText('0 of 3 met');
  await expect(page.getByRole('button', { name: 'Predict first' }).first()).toBeDisabled();

  await page.getByRole('radio', { name: /another number/ }).check();
  const run = page.getByRole('button', { name: /Run in Terminal 1/ });
  await run.first().click();
  await type(page, 'echo $$');
  await expect(screen(page)).toContainText(/\d+/);
  await type(page, 'ls /');
  await type(page, 'ls /');
  await expect(screen(page)).toContainText('Cannot allocate memory');
  await expect(check).toContainText('3 of 3 met');
  await expect(page.getByText(/You predicted/)).toBeVisible();
  await expect(page.getByRole('status').first()).toContainText(/met/i);

  await page.reload();
  await expect(page.getByRole('region', { name: 'Check' })).toContainText('3 of 3 met');
  await page.getByRole('button', { name: 'Screen reader mode' }).click();
  await expect(screen(page)).toContainText('Cannot allocate memory');
  await page.goto('/');
  await expect(page.getByRole('link', { name: /Resume/ })).toBeVisible();
  expect(problems).toEqual([]);
});

test('step 2: a process and its namespace appear in the picture as they are born, and go when they end', async ({
  page,
}) => {
  await openFresh(page, '2-a-tree');
  await page.getByRole('radio').first().check();
  await page.getByRole('button', { name: 'Table' }).click();
  const tree = page.getByRole('treegrid');
  await expect(tree).toBeVisible();
  await page.getByRole('tab', { name: 'Terminal 1' }).click();
  await type(page, 'unshare --pid --fork --mount-proc bash');
  await type(page, 'sleep 987');
  const sleeping = tree.getByRole('row', { name: /sleep/ });
  await expect(sleeping).toBeVisible();
  // The lines that ran inside have a bar, and the tab says in which namespaces its keys are read.
  const bars = page.getByRole('tabpanel', { name: /^Terminal 1/ }).locator('.ns-bar');
  await expect(bars).toHaveText(/^inside pid:\[\d+\]$/);
  await expect(page.getByRole('tab', { name: /^Terminal 1 inside its own pid, mnt/ })).toBeVisible();
  await sleeping.click();
  await expect(page.getByRole('region', { name: 'Scope' })).toContainText('sleep 987');
  await page.keyboard.press('Escape');
  await page.getByRole('textbox', { name: 'Terminal input' }).first().focus();
  await page.keyboard.press('Control+C');
  await type(page, 'exit');
  await expect(tree.getByRole('row', { name: /^(?!.*exited).*sleep/ })).toHaveCount(0);
  await expect(page.getByRole('tab', { name: 'Terminal 1', exact: true })).toBeVisible();
  const bar = await bars.boundingBox();
  await type(page, 'echo out""side');
  await expect(screen(page)).toContainText('outside');
  expect((await bars.boundingBox())?.height).toBe(bar?.height);
});

test('in Chinese, dark, and at 390 px the lesson can be read and used', async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  const page = await context.newPage();
  await page.goto(LESSON);
  const language = page.getByRole('button', { name: '中文' });
  if (!(await language.isVisible())) await page.getByRole('button', { name: /menu/i }).click();
  await language.click();
  await expect(page.locator('html')).toHaveAttribute('lang', /zh/);
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(width).toBeLessThanOrEqual(390);
  await context.close();
});
