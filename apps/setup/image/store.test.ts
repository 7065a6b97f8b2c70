import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collectImages, folderBytes, imageHash, readPointer, writePointer } from './store.mjs';

let images = '';
beforeEach(() => {
  images = mkdtempSync(join(tmpdir(), 'drydock-images-'));
});
afterEach(() => rmSync(images, { recursive: true }));

it('collects older images and builds cut short, but not those under way', () => {
  for (const name of [
    'learner-new',
    'learner-used',
    'learner-old',
    '.making-4194305',
    `.making-${process.pid}`,
    'other',
  ])
    mkdirSync(join(images, name));
  expect(collectImages(images, 'new').sort()).toEqual(['.making-4194305', 'learner-old', 'learner-used']);
  expect(readdirSync(images).sort()).toEqual([`.making-${process.pid}`, 'learner-new', 'other']);
});

it('reads back the pointer it wrote, and null where there is none', () => {
  const file = join(images, 'learner.json');
  expect(readPointer(file)).toBeNull();
  const pointer = { rootfs: '/r', hash: 'abc', builtAt: '2026-01-01T00:00:00.000Z', sizeBytes: 1 };
  writePointer(file, pointer);
  expect(readPointer(file)).toEqual(pointer);
  expect(readdirSync(images)).toEqual(['learner.json']);
});

it('counts a file with two names once', () => {
  mkdirSync(join(images, 'bin'));
  writeFileSync(join(images, 'bin/a'), 'x'.repeat(1000));
  linkSync(join(images, 'bin/a'), join(images, 'b'));
  writeFileSync(join(images, 'c'), 'y');
  expect(folderBytes(images)).toBe(1001);
});

it('keys the image by release', () => {
  expect(imageHash('bookworm')).toMatch(/^[0-9a-f]{16}$/);
  expect(imageHash('trixie')).not.toBe(imageHash('bookworm'));
});
