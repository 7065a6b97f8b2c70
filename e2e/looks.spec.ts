// What can be measured of the looks: contrast of every text in both themes, nothing that makes a page longer or wider than
// it is, in the sizes and languages that learners use.
import { expect, type Page, test } from '@playwright/test';
import { LESSON, openFresh, type } from './lesson-page.ts';

/** Texts whose contrast is below AA (WCAG 2.2, 1.4.3): what can't be used is exempt, and what nobody sees. */
function faintTexts(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
    const rgba = (color: string): number[] => {
      context.clearRect(0, 0, 1, 1);
      context.fillStyle = color;
      context.fillRect(0, 0, 1, 1);
      return [...context.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (color: readonly number[]): number => {
      const [r = 0, g = 0, b = 0] = color.map((part) => {
        const value = part / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const backgroundOf = (element: Element): number[] => {
      for (let at: Element | null = element; at; at = at.parentElement) {
        const color = rgba(getComputedStyle(at).backgroundColor);
        if ((color[3] ?? 0) > 250) return color;
      }
      return rgba(getComputedStyle(document.documentElement).backgroundColor);
    };
    const faint: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const element = node.parentElement;
      const text = node.textContent?.trim() ?? '';
      if (!element || text === '' || element.closest('svg, canvas, script, style, .xterm, .vh, .monaco-editor'))
        continue;
      if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      if (element.closest('[aria-disabled="true"], :disabled')) continue;
      const style = getComputedStyle(element);
      const ink = rgba(style.color);
      // A blank is there to be seen, not read.
      if (ink[3] === 0) continue;
      const [light = 0, dark = 0] = [luminance(ink), luminance(backgroundOf(element))].sort((a, b) => b - a);
      const size = Number.parseFloat(style.fontSize);
      const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
      const ratio = (light + 0.05) / (dark + 0.05);
      if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} ${text.slice(0, 40)}`);
    }
    return faint;
  });
}

const overflow = (page: Page): Promise<number[]> =>
  page.evaluate(() => {
    const { scrollWidth, scrollHeight } = document.documentElement;
    return [scrollWidth - innerWidth, scrollHeight - innerHeight];
  });

for (const colorScheme of ['light', 'dark'] as const)
  test(`every text can be read in ${colorScheme}`, async ({ browser }) => {
    const context = await browser.newContext({ colorScheme, viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.goto('/');
    expect(await faintTexts(page)).toEqual([]);
    await openFresh(page, '2-a-tree');
    await page.getByRole('region', { name: 'Predict' }).getByRole('radio').first().click();
    await type(page, 1, ['unshare --pid --fork bash']);
    await expect(page.getByRole('region', { name: 'Check' })).toContainText('Contradicts the goal');
    await page.getByRole('button', { name: /^Hint 1/ }).click();
    await type(page, 2, ['exit']);
    await expect(page.getByRole('button', { name: 'Open a new shell' })).toBeVisible();
    expect(await faintTexts(page)).toEqual([]);
    await page.getByRole('button', { name: 'Table' }).click();
    await page.getByRole('treegrid').getByRole('row').last().click();
    expect(await faintTexts(page)).toEqual([]);
    await page.getByRole('tab', { name: /Editor/ }).click();
    expect(await faintTexts(page)).toEqual([]);
    await context.close();
  });

for (const [width, height] of [
  [390, 844],
  [1366, 768],
] as const)
  for (const language of ['en', 'zh'])
    test(`the page is not larger than a window of ${width} by ${height}, in ${language}`, async ({ browser }) => {
      const context = await browser.newContext({ viewport: { width, height } });
      await context.addCookies([{ name: 'drydock-lang', value: language, url: test.info().project.use.baseURL ?? '' }]);
      const page = await context.newPage();
      for (const step of ['1-the-trap', '2-a-tree', '3-killing-pid-1', 'sheet']) {
        await page.goto(`${LESSON}?step=${step}`);
        await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
        expect([step, ...(await overflow(page))]).toEqual([step, 0, 0]);
      }
      await page.goto('/');
      expect((await overflow(page))[0]).toBe(0);
      await context.close();
    });

test('the meanings of a command’s flags stand under each other', async ({ page }) => {
  await page.goto(`${LESSON}?step=2-a-tree`);
  const meanings = page.getByText(/^(a new set of process numbers|unshare stays outside|a new \/proc, and)/);
  await expect(meanings).toHaveCount(3);
  const lefts = await meanings.evaluateAll((elements) => elements.map((each) => each.getBoundingClientRect().left));
  expect(new Set(lefts).size).toBe(1);
});
