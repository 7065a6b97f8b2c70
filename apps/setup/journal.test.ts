import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { emptyJournal, readJournal, recordInJournal } from './journal.mjs';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'drydock-journal-'));
  file = join(folder, 'root/setup-journal.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

it('is empty before anything was done', () => {
  expect(readJournal(file)).toEqual(emptyJournal());
});

it('adds, names nothing twice, and keeps the first value of a setting', () => {
  recordInJournal(file, { packages: ['gcc'], sysctls: { 'kernel.kptr_restrict': '0' } });
  recordInJournal(file, {
    packages: ['gcc', 'mmdebstrap'],
    sysctls: { 'kernel.kptr_restrict': '2', 'kernel.pty.max': '4096' },
  });
  expect(readJournal(file)).toMatchObject({
    packages: ['gcc', 'mmdebstrap'],
    sysctls: { 'kernel.kptr_restrict': '0', 'kernel.pty.max': '4096' },
  });
});

it('says so when it is damaged, rather than forgetting what to undo', () => {
  recordInJournal(file, { users: ['drydock-lab'] });
  writeFileSync(file, '{"version": 1, "users": [');
  expect(() => readJournal(file)).toThrow(/damaged/);
});
