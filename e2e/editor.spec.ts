// The editor tab on files of a real sandbox: a new file, saved and run; a file that changed underneath.
import { expect, type Page, test } from '@playwright/test';
import { complaints, openFresh, screen, type } from './lesson-page.ts';

const editor = (page: Page) => page.getByRole('tabpanel', { name: /Editor/ });
const alert = (page: Page) => editor(page).getByRole('alert');

async function open(page: Page, path: string): Promise<void> {
  await page.getByRole('tab', { name: /Editor/ }).click();
  await editor(page).getByRole('textbox', { name: 'File in the sandbox' }).fill(path);
  await page.keyboard.press('Enter');
  await expect(editor(page).getByRole('textbox', { name: `Editor for ${path}` })).toBeFocused();
}

/** Puts a text in place of all there is, as somebody does who types. */
async function write(page: Page, text: string): Promise<void> {
  await editor(page)
    .getByRole('textbox', { name: /^Editor for/ })
    .focus();
  await page.keyboard.press('Control+A');
  await page.keyboard.type(text);
}

test('a file is made, saved with Ctrl+S and run in the terminal', async ({ page }) => {
  const problems = complaints(page);
  await openFresh(page, '1-the-trap');
  await open(page, '/root/hello.sh');
  await expect(editor(page).getByRole('status')).toHaveText('new file');
  await write(page, 'echo "hello from $((6 * 7))"\n');
  await expect(editor(page).getByRole('status')).toHaveText('unsaved changes');
  await page.keyboard.press('Control+S');
  await expect(editor(page).getByRole('status')).toHaveText(/^saved /);
  await editor(page).getByRole('button', { name: 'Run in Terminal 1' }).click();
  await expect(page.getByRole('tab', { name: 'Terminal 1' })).toHaveAttribute('aria-selected', 'true');
  await expect(screen(page)).toContainText('hello from 42');
  expect(problems).toEqual([]);
});

test('a file that changed in the sandbox meanwhile is never overwritten unasked', async ({ page }) => {
  await openFresh(page, '1-the-trap');
  await type(page, 1, ['echo first > /root/notes.txt; echo writ""ten']);
  await expect(screen(page)).toContainText('written');
  await open(page, '/root/notes.txt');
  await expect(editor(page).locator('.view-lines')).toHaveText('first');

  await write(page, 'mine');
  await type(page, 1, ['echo theirs > /root/notes.txt; echo chan""ged']);
  await expect(screen(page)).toContainText('changed');
  await page.getByRole('tab', { name: /Editor/ }).click();
  await editor(page).getByRole('button', { name: 'Save' }).click();
  await expect(alert(page)).toContainText('“/root/notes.txt” was changed in the sandbox since you opened it.');
  const question = page.getByRole('dialog', { name: 'Discard unsaved changes?' });
  await alert(page).getByRole('button', { name: 'Load theirs' }).click();
  await question.getByRole('button', { name: 'Cancel' }).click();
  await expect(editor(page).locator('.view-lines')).toHaveText('mine');
  await alert(page).getByRole('button', { name: 'Load theirs' }).click();
  await question.getByRole('button', { name: 'Discard them' }).click();
  await expect(editor(page).locator('.view-lines')).toHaveText('theirs');
  await expect(alert(page)).toHaveCount(0);

  await write(page, 'mine again');
  await type(page, 1, ['echo others > /root/notes.txt; echo once mo""re']);
  await expect(screen(page)).toContainText('once more');
  await page.getByRole('tab', { name: /Editor/ }).click();
  await editor(page).getByRole('button', { name: 'Save' }).click();
  await alert(page).getByRole('button', { name: 'Save mine' }).click();
  await expect(editor(page).getByRole('status')).toHaveText(/^saved /);
  await type(page, 1, ['cat /root/notes.txt']);
  await expect(screen(page)).toContainText('mine again');
});

test('a page with unsaved changes asks before it goes', async ({ page }) => {
  await openFresh(page, '1-the-trap');
  await open(page, '/root/kept.txt');
  await write(page, 'not saved yet');
  await expect(editor(page).getByRole('status')).toHaveText('unsaved changes');
  const asked = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();
  await expect(editor(page).locator('.view-lines')).toHaveText('not saved yet');
});
