// Step 1 by keyboard alone: no mouse, no focus() by script. What a screen reader is told is asserted on the way.
import { expect, type Locator, type Page, test } from '@playwright/test';
import { complaints, openFresh } from './lesson-page.ts';

/** More stops than the page has: whoever has not arrived by then never will. */
const MOST_STOPS = 120;

/** Presses Tab (or Shift+Tab) until the element has the focus. */
async function tabTo(page: Page, target: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab'): Promise<void> {
  for (let stop = 0; stop < MOST_STOPS; stop += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`${key} does not lead to ${String(target)}`);
}

test('step 1 by keyboard alone', async ({ page }) => {
  const problems = complaints(page);
  await openFresh(page, '1-the-trap');
  await page.reload();
  const announcer = page.getByTestId('announcer');
  const column = page.getByRole('region', { name: 'Lesson step' });
  const terminal = page.getByRole('tabpanel', { name: 'Terminal 1' }).getByRole('textbox', { name: 'Terminal input' });
  await expect(page.getByRole('group', { name: 'Sandbox' })).toContainText('Running');

  await test.step('landmarks and headings', async () => {
    await expect(page.getByRole('banner')).toHaveCount(1);
    await expect(page.getByRole('main')).toHaveCount(1);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('The trap');
    await expect(page.getByRole('navigation', { name: 'Breadcrumb' })).toMatchAriaSnapshot(`
      - navigation "Breadcrumb":
        - list:
          - listitem:
            - link "Namespaces"
          - listitem: B2 A process tree of your own
    `);
    await expect(page.getByRole('navigation', { name: 'Steps of this lesson' }).first()).toMatchAriaSnapshot(`
      - list:
        - listitem:
          - 'button "Step 1: The trap, you are here"'
        - listitem:
          - 'button "Step 2: A tree, and a /proc that agrees"'
        - listitem:
          - 'button "Step 3: Killing PID 1"'
        - listitem:
          - button "A sheet to keep"
    `);
    await expect(page.getByRole('region', { name: 'Check' })).toMatchAriaSnapshot(`
      - heading "Check" [level=2]
      - text: 'kernel state: 0 of 3 met'
      - list:
        - listitem: "Not yet: bash is still in your host’s PID namespace"
        - listitem: "Not yet: its children are born into another one"
        - listitem: "Not yet: no process lives in that one"
    `);
    for (const name of ['Scope', 'Workbench']) await expect(page.getByRole('region', { name })).toHaveCount(1);
  });

  await test.step('the skip link leads past the bar', async () => {
    const skip = page.getByRole('link', { name: 'Skip to the content' });
    await page.keyboard.press('Tab');
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await expect(column).toBeFocused();
  });

  await test.step('a dialog keeps the focus, and gives it back', async () => {
    const reset = page.getByRole('button', { name: 'Reset', exact: true });
    await tabTo(page, reset, 'Shift+Tab');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'What do you want to reset?' });
    await expect(dialog.getByRole('button')).toHaveText(['', 'Reset this step', 'Reset the sandbox']);
    for (let stop = 0; stop < 6; stop += 1) {
      // The browser's own controls may have their turn, then the dialog again; never what lies under it.
      expect(await page.locator(':focus').evaluateAll((all) => all.every((one) => one.closest('dialog')))).toBe(true);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
    await expect(reset).toBeFocused();
  });

  await test.step('predict: arrows choose, Space locks', async () => {
    const predict = page.getByRole('region', { name: 'Predict' });
    const group = predict.getByRole('radiogroup', { name: /ask it for its own number/ });
    await expect(group.getByRole('radio')).toHaveCount(3);
    const first = group.getByRole('radio').first();
    await tabTo(page, first);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    const another = group.getByRole('radio', { name: /another number/ });
    await expect(another).toBeFocused();
    await expect(another).toBeChecked();
    await expect(predict).toContainText('before you run it');
    await page.keyboard.press('Space');
    await expect(predict).toContainText(/locked in \d/);
    await expect(another).toBeFocused();
  });

  await test.step('run the command, type in the terminal, leave it', async () => {
    await tabTo(page, page.getByRole('button', { name: 'Run in Terminal 1' }).first());
    await page.keyboard.press('Enter');
    await expect(terminal).toBeFocused();
    await expect(announcer).toContainText('Check met: bash is still in your host’s PID namespace.');
    await page.keyboard.type('ls /');
    await page.keyboard.press('Enter');
    await expect(page.getByRole('region', { name: 'Check' })).toContainText('3 of 3 met');
    await expect(announcer).toContainText('All checks are met. The step is done.');
    await page.keyboard.press('Tab');
    await expect(terminal).toBeFocused(); // Tab is the shell's
    await page.keyboard.press('Control+Shift+Escape');
    const tabs = page.getByRole('tablist', { name: 'Workbench' }).getByRole('tab');
    await expect(tabs.first()).toBeFocused();
    await page.keyboard.press('ArrowRight');
    await expect(tabs.nth(1)).toBeFocused();
    await expect(tabs.nth(1)).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('Home');
    await expect(tabs.first()).toBeFocused();
  });

  await test.step('the tree as a treegrid with levels', async () => {
    await tabTo(page, page.getByRole('button', { name: 'Table' }), 'Shift+Tab');
    await page.keyboard.press('Space');
    const grid = page.getByRole('treegrid', { name: /Processes with their pid/ });
    const rows = grid.getByRole('row').filter({ has: page.getByRole('gridcell') });
    await expect(grid.getByRole('columnheader')).toHaveText([
      'your host',
      'inside',
      'process',
      'state',
      'own namespaces',
    ]);
    await tabTo(page, grid.locator('[tabindex="0"]'));
    await page.keyboard.press('Home');
    await expect(rows.first()).toBeFocused();
    await expect(rows.first()).toHaveAttribute('aria-level', '1');
    const child = grid.locator('[aria-level="2"]').first();
    for (let row = 1; row < (await rows.count()); row += 1) {
      if (await child.evaluate((element) => element === document.activeElement)) break;
      await page.keyboard.press('ArrowDown');
    }
    await expect(child).toBeFocused();
    await page.keyboard.press('ArrowLeft');
    const parent = grid.locator('[aria-level="1"][aria-selected="true"]');
    await expect(parent).toBeFocused();
    await page.keyboard.press('ArrowRight');
    await expect(child).toBeFocused();
    await expect(child).toHaveAttribute('aria-selected', 'true');
    await page.keyboard.press('End');
    await expect(rows.last()).toBeFocused();
    await expect(page.getByRole('region', { name: 'Scope' })).toContainText('cgroup');
  });

  await test.step('explain, then on to the next step', async () => {
    const explain = page.getByRole('region', { name: 'Explain' });
    // Backwards a group is entered by its last radio while none is chosen.
    await tabTo(page, explain.getByRole('radio').last(), 'Shift+Tab');
    await page.keyboard.press('Space');
    await expect(explain.getByRole('status')).toHaveText(/^(Right|Not quite)\./);
    await tabTo(page, page.getByRole('button', { name: /^Next: A tree/ }));
    await page.keyboard.press('Enter');
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('A tree, and a /proc that agrees');
    await expect(column).toBeFocused();
  });
  expect(problems).toEqual([]);
});
