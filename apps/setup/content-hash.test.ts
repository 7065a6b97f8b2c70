import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { contentHash, inputFiles } from './content-hash.mjs';

let base = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'drydock-hash-'));
  mkdirSync(join(base, 'src/node_modules'), { recursive: true });
  writeFileSync(join(base, 'src/b.ts'), 'b');
  writeFileSync(join(base, 'src/a.ts'), 'a');
});
afterEach(() => rmSync(base, { recursive: true }));

it('leaves out tests and what is built, and sorts', () => {
  for (const name of ['a.test.ts', 'a.kernel.test.ts', 'a.api.test.ts', 'node_modules/x.js'])
    writeFileSync(join(base, 'src', name), '');
  expect(inputFiles(base, ['src', 'absent'])).toEqual([join(base, 'src/a.ts'), join(base, 'src/b.ts')]);
});

it('changes with a byte, a name, a word, and with nothing else', () => {
  const key = contentHash(base, ['src'], ['v20']);
  expect(contentHash(base, ['src'], ['v20'])).toBe(key);
  expect(contentHash(base, ['src'], ['v22'])).not.toBe(key);
  writeFileSync(join(base, 'src/a.ts'), 'A');
  expect(contentHash(base, ['src'], ['v20'])).not.toBe(key);
  writeFileSync(join(base, 'src/a.ts'), 'a');
  writeFileSync(join(base, 'src/a.test.ts'), 'a test');
  expect(contentHash(base, ['src'], ['v20'])).toBe(key);
  rmSync(join(base, 'src/b.ts'));
  writeFileSync(join(base, 'src/c.ts'), 'b');
  expect(contentHash(base, ['src'], ['v20'])).not.toBe(key);
});
