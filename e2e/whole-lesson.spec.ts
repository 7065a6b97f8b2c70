// The whole lesson from its first step to its sheet, by typing the solutions that stand in the lesson's folder.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, type Locator, type Page, test } from '@playwright/test';
import { complaints, LESSON, openFresh, screen, type } from './lesson-page.ts';

const FOLDER = join(import.meta.dirname, '../lessons/b-namespaces/b2-pid');

/** The lines of a solution, with the terminal each is for. */
function solutionOf(step: string): { terminal: number; line: string }[] {
  let terminal = 1;
  return readFileSync(join(FOLDER, step, 'solution.sh'), 'utf8')
    .split('\n')
    .flatMap((line) => {
      terminal = Number(/^# terminal: (\d)/.exec(line)?.[1] ?? terminal);
      return line === '' || line.startsWith('#') ? [] : [{ terminal, line }];
    });
}

const check = (page: Page): Locator => page.getByRole('region', { name: 'Check' });

async function solve(page: Page, step: string): Promise<void> {
  for (const { terminal, line } of solutionOf(step)) await type(page, terminal, [line]);
  await expect(check(page)).toContainText(/(\d) of \1 met/);
  await expect(page.getByText('step done')).toBeVisible();
}

async function predict(page: Page, option: RegExp): Promise<void> {
  await page.getByRole('region', { name: 'Predict' }).getByRole('radio', { name: option }).click();
}

async function resetStep(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Reset this step' }).click();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  // Done when the terminals are new: nothing but a prompt stands on them.
  await expect(screen(page)).toHaveText(/^\s*root@dock:\S*#\s*$/);
}

test('from the first step to the sheet', async ({ page }) => {
  const problems = complaints(page);
  const outcome = page.getByRole('region', { name: 'Outcome' });
  const explain = page.getByRole('region', { name: 'Explain' });

  await openFresh(page, '1-the-trap');
  const solution = page.getByRole('button', { name: /^Solution/ });
  await expect(solution).toBeDisabled();
  await predict(page, /another number/);
  await solve(page, '1-the-trap');
  await expect(outcome).toContainText(/You predicted another number. The kernel says \d+\./);
  await explain.getByRole('radio').first().check();
  await expect(explain.getByRole('status')).toHaveText(/^(Right|Not quite)\. /);
  const said = (await explain.getByRole('status').textContent()) ?? '';
  await page.reload();
  await expect(explain.getByRole('status')).toHaveText(said);
  await page.getByRole('button', { name: 'Screen reader mode' }).click();

  await resetStep(page);
  await page.getByRole('button', { name: /^Next: A tree/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('A tree, and a /proc that agrees');
  const hint = page.getByRole('button', { name: /^Hint 1 of 3/ });
  await expect(solution).toBeDisabled();
  await hint.click();
  await expect(hint).toHaveAttribute('aria-expanded', 'true');
  await expect(page.getByText('To be PID 1, a process has to be born inside.')).toBeVisible();
  await solution.click();
  await expect(page.getByText('unshare --pid --fork --mount-proc bash').last()).toBeVisible();
  await page.getByRole('region', { name: 'Predict' }).getByRole('radio').first().click();
  await solve(page, '2-a-tree');
  await explain.getByRole('radio', { name: /All processes of the host/ }).check();
  await expect(explain.getByRole('status')).toHaveText(/^Right\. /);

  await resetStep(page);
  await page.getByRole('button', { name: /^Next: Killing PID 1/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Killing PID 1');
  await predict(page, /it lives on/);
  await solve(page, '3-killing-pid-1');
  await expect(outcome).toContainText('You predicted: it lives on. The kernel says: sleep ended by signal 9');
  await explain.getByRole('radio', { name: /no handler for SIGTERM/ }).check();
  await expect(explain.getByRole('status')).toHaveText(/^Right\. /);

  await page.getByRole('button', { name: 'The sheet to keep' }).click();
  await expect(page.getByText('end of the lesson')).toBeVisible();
  await expect(page.getByRole('heading', { level: 2, name: 'Words of this lesson' })).toBeVisible();
  await page.getByRole('link', { name: 'All lessons', exact: true }).click();
  await expect(page.getByRole('listitem').filter({ hasText: 'A process tree of your own' }).last()).toContainText(
    'Done:',
  );
  expect(problems).toEqual([]);
});

test('what is done in one step is no attempt at another that was open just before', async ({ page }) => {
  await openFresh(page, '2-a-tree');
  const solution = page.getByRole('button', { name: /^Solution/ });
  await expect(solution).toBeDisabled();
  await page.getByRole('button', { name: /^Step 1: The trap/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('The trap');
  await predict(page, /another number/);
  // Its goal contradicts that of step 2.
  await solve(page, '1-the-trap');
  await page.getByRole('button', { name: /^Step 2: A tree/ }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('A tree, and a /proc that agrees');
  // What the other step left is shown as what it is, and the learner has not tried anything here yet.
  await expect(check(page)).toContainText('Contradicts the goal');
  await expect(solution).toBeDisabled();
  // Here it is one.
  await type(page, 2, ['unshare --pid bash']);
  await expect(solution).toBeEnabled();
});

test('another language keeps the place: step, answers, terminal', async ({ page }) => {
  await openFresh(page, '2-a-tree');
  await page.getByRole('region', { name: 'Predict' }).getByRole('radio').first().click();
  await type(page, 1, ['echo sti""ll here']);
  await page.getByRole('button', { name: '中文' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('一棵树，和对得上的 /proc');
  await expect(page).toHaveURL(new RegExp(`${LESSON}\\?step=2-a-tree$`));
  await expect(page.getByRole('tabpanel', { name: '终端 1' }).locator('.xterm-accessibility-tree')).toContainText(
    'still here',
  );
  await expect(page.getByRole('region', { name: '预测' }).getByRole('radio', { checked: true })).toHaveCount(1);
  await page.getByRole('button', { name: 'EN', exact: true }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('A tree, and a /proc that agrees');
});
