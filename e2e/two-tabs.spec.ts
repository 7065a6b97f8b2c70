// One learner, two browser tabs on the same lesson: what is done in one is there in the other.
import { expect, test } from '@playwright/test';
import { complaints, LESSON, openFresh, screen, type } from './lesson-page.ts';

test('a second tab shows the same terminals, picture, answers and verdict, and goes on when the first one closes', async ({
  page,
  context,
}) => {
  await openFresh(page, '1-the-trap');
  const other = await context.newPage();
  const problems = [complaints(page), complaints(other)];
  await other.goto(`${LESSON}?step=1-the-trap`);
  await other.getByRole('button', { name: 'Screen reader mode' }).click();
  await expect(screen(other)).toContainText('root@dock');

  await page
    .getByRole('region', { name: 'Predict' })
    .getByRole('radio', { name: /another number/ })
    .click();
  await expect(other.getByRole('region', { name: 'Predict' }).getByRole('radio', { checked: true })).toHaveCount(1);
  await type(page, 1, ['unshare --pid bash', 'ls /', 'ls /']);
  await expect(screen(other)).toContainText('Cannot allocate memory');
  for (const tab of [page, other]) {
    await expect(tab.getByRole('region', { name: 'Check' })).toContainText('3 of 3 met');
    await expect(tab.getByText(/You predicted/)).toBeVisible();
  }

  // Both may type; a third terminal opened in one is a tab in the other.
  await type(other, 2, ['echo from the oth""er']);
  await page.getByRole('tab', { name: 'Terminal 2' }).click();
  await expect(screen(page, 2)).toContainText('from the other');
  await other.getByRole('button', { name: 'New terminal' }).click();
  await expect(page.getByRole('tab', { name: 'Terminal 3' })).toBeVisible();

  await page.close();
  await type(other, 2, ['echo still go""ing']);
  await expect(screen(other, 2)).toContainText('still going');
  await other.getByRole('button', { name: /^Step 2: A tree/ }).click();
  await expect(other.getByRole('heading', { level: 1 })).toHaveText('A tree, and a /proc that agrees');
  await expect(other.getByRole('region', { name: 'Check' })).toContainText('0 of 2 met');
  expect(problems.flat()).toEqual([]);
});

test('a reset in one tab begins the step anew in the other', async ({ page, context }) => {
  await openFresh(page, '2-a-tree');
  const other = await context.newPage();
  await other.goto(`${LESSON}?step=2-a-tree`);
  await other.getByRole('button', { name: 'Screen reader mode' }).click();
  await type(page, 1, ['unshare --pid --fork --mount-proc bash', 'sleep 987 &']);
  await other.getByRole('button', { name: 'Table' }).click();
  const sleeping = other.getByRole('treegrid').getByRole('row', { name: /sleep/ });
  await expect(sleeping).toBeVisible();
  await page.getByRole('button', { name: 'Reset', exact: true }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Reset this step' }).click();
  await expect(sleeping).toHaveCount(0);
  await expect(screen(other)).toHaveText(/^\s*root@dock:\S*#\s*$/);
  await type(other, 1, ['echo he""re']);
  await expect(screen(page)).toContainText('here');
});
