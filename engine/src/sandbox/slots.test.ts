import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { baseOf, parseSubids, Slots } from './slots.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'slots-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function owner(name: string): string {
  const path = join(directory, name);
  mkdirSync(path);
  return path;
}

test('two daemons never get the same slot', () => {
  const registry = join(directory, 'registry');
  const [one, two] = [new Slots(registry, []), new Slots(registry, [])];
  const claimed = [one.claim(owner('a')), two.claim(owner('b')), one.claim(owner('c')), two.claim(owner('d'))];
  expect(claimed).toEqual([0, 1, 2, 3]);
  expect(claimed.map(baseOf)).toEqual([1_000_000, 1_065_536, 1_131_072, 1_196_608]);
});

test('a slot is claimed again only when it was released, or its owner’s directory is gone', () => {
  const slots = new Slots(join(directory, 'registry'), []);
  const first = owner('a');
  expect(slots.claim(first)).toBe(0);
  expect(slots.claim(owner('b'))).toBe(1);
  rmSync(first, { recursive: true });
  expect(slots.claim(owner('c'))).toBe(0);
  slots.release(1);
  expect(slots.claim(owner('d'))).toBe(1);
});

test('ranges that /etc/subuid gives to others are left alone', () => {
  const subids = parseSubids('ada:1000000:65536\n# nobody\nbob:1130000:10\nbroken\n');
  expect(subids).toEqual([
    { first: 1_000_000, count: 65_536 },
    { first: 1_130_000, count: 10 },
  ]);
  const slots = new Slots(join(directory, 'registry'), subids);
  expect([slots.claim(owner('a')), slots.claim(owner('b'))]).toEqual([2, 3]);
});
