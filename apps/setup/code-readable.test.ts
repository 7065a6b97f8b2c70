import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeCodeReadable } from './code-readable.mjs';

it('opens a clone made under umask 077 for reading, and touches nothing the second time', async () => {
  const clone = mkdtempSync(join(tmpdir(), 'drydock-clone-'));
  const mode = (path: string) => (statSync(join(clone, path)).mode & 0o777).toString(8);
  try {
    mkdirSync(join(clone, 'lessons'));
    writeFileSync(join(clone, 'lessons/a.md'), 'a');
    writeFileSync(join(clone, 'secret'), 's');
    chmodSync(join(clone, 'lessons/a.md'), 0o600);
    chmodSync(join(clone, 'lessons'), 0o700);
    chmodSync(join(clone, 'secret'), 0o600);
    expect(await makeCodeReadable(clone, ['lessons', 'absent'])).toBe(true);
    expect([mode('lessons'), mode('lessons/a.md'), mode('secret')]).toEqual(['755', '644', '600']);
    expect(await makeCodeReadable(clone, ['lessons', 'absent'])).toBe(false);
  } finally {
    rmSync(clone, { recursive: true });
  }
});
