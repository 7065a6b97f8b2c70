import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-lock-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('one at a time, also after a failure, and nobody waits for ever', async () => {
  const path = join(directory, 'lock');
  const order: string[] = [];
  let finish = (): void => {};
  const first = withFileLock(path, async () => {
    order.push('first begins');
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    order.push('first ends');
    throw new Error('its own business');
  });
  await expect(withFileLock(path, () => 'never', 50)).rejects.toThrow('another process has held it for 50 ms');
  const second = withFileLock(path, () => order.push('second'));
  finish();
  await expect(first).rejects.toThrow('its own business');
  await second;
  expect(order).toEqual(['first begins', 'first ends', 'second']);
  expect(existsSync(path)).toBe(true);
});
