// A learner's terminal that prints what it should not: the page, its title and the clipboard stay the learner's own.
import { expect, test } from '@playwright/test';

const ESC = String.raw`\033`;
const BEL = String.raw`\007`;

test('hostile escape sequences change neither title, clipboard nor page, and the terminal goes on', async ({
  page,
  context,
}) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const dialogs: string[] = [];
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto('/learn/B/b2-pid?step=1-the-trap');
  await expect(page.getByRole('group', { name: 'Sandbox' })).toContainText('Running');
  await page.getByRole('button', { name: 'Screen reader mode' }).click();
  const screen = page.getByRole('tabpanel', { name: /Terminal 1/ }).locator('.xterm-accessibility-tree');
  await expect(screen).toContainText('root@dock');
  await page.evaluate(() => navigator.clipboard.writeText('the learner’s own'));
  const [title, scripts] = [await page.title(), await page.locator('script').count()];

  const clipboard = Buffer.from('stolen').toString('base64');
  const hostile = [
    `${ESC}]52;c;${clipboard}${BEL}`,
    `${ESC}]52;c;?${BEL}`,
    `${ESC}]0;<img src=x onerror=alert(1)>${BEL}`,
    `${ESC}]8;;javascript:alert(1)${ESC}\\\\click${ESC}]8;;${ESC}\\\\`,
    `${ESC}]1337;File=inline=1:AAAA${BEL}`,
    `${ESC}P+q544e${ESC}\\\\`,
    `${ESC}[21t${ESC}[5i<script>alert(2)</script>${ESC}[4i`,
    `${ESC}[?1049h${ESC}[999999999;999999999H${ESC}[?1049l`,
  ].join('');
  await page.getByRole('textbox', { name: 'Terminal input' }).first().focus();
  await page.keyboard.type(`clear; printf '${hostile}'; head -c 300000 /dev/urandom; reset; echo still $((40+2)) here`);
  await page.keyboard.press('Enter');
  await expect(screen).toContainText('still 42 here');

  expect(await page.title()).toBe(title);
  expect(await page.locator('script').count()).toBe(scripts);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('the learner’s own');
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(dialogs).toEqual([]);
});
