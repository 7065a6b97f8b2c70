import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { attachLoop } from '../kernel/loop.ts';
import { requires } from '../testing/requires.ts';
import { diskUse, makeDisk } from './disk.ts';

requires('root', 'loop');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'disk-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const backing = (device: string) => {
  try {
    return readFileSync(`/sys/block/${device.replace('/dev/', '')}/loop/backing_file`, 'utf8').trim();
  } catch {
    return null;
  }
};

test('a disk is a sparse ext4 image of the size of the limit', async () => {
  const image = join(directory, 'disk.img');
  await makeDisk(image, 2 ** 31);
  expect(statSync(image).size).toBe(2 ** 31);
  expect(diskUse(image)).toBeLessThan(8 * 2 ** 20);
  expect(execFileSync('dumpe2fs', ['-h', image], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()).toContain(
    'Block size:',
  );
});

test('a loop device holds the image, without saying where it lies, while somebody has it open', async () => {
  const image = join(directory, 'disk.img');
  await makeDisk(image, 64 * 2 ** 20);
  const [one, two] = [attachLoop(image), attachLoop(image)];
  expect(one.path).not.toBe(two.path);
  expect([backing(one.path), backing(two.path)]).toEqual(['/disk.img', '/disk.img']);
  one.close();
  two.close();
  expect([backing(one.path), backing(two.path)]).toEqual([null, null]);
});
