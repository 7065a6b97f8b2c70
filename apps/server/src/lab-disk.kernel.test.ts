// The lab server whose database has no room left: on a file system of its own, so small that a file fills it. The
// sandbox's side is scripted; the disk is not.
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { LabUnderTest } from './testing/lab-under-test.ts';
import { scriptedProcess } from './testing/scripted-engine.ts';

const TRAP = { track: 'B', lesson: 'b2-pid', step: '1-the-trap' };

let disk: string;
let lab: LabUnderTest;
beforeEach(async () => {
  disk = mkdtempSync(join(tmpdir(), 'drydock-full-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'drydock-full-disk', disk]);
  lab = new LabUnderTest({ DATABASE_URL: `file:${join(disk, 'lab.db')}` });
  await lab.engine.listen();
  await lab.start();
});
afterEach(async () => {
  try {
    await lab.end();
  } finally {
    // Lazily: libsql closes its files when its connection is collected as garbage, not when it is disconnected.
    execFileSync('umount', ['--lazy', disk]);
    rmdirSync(disk);
  }
});

/** Takes all that is free, to the last byte. */
function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (let size = 65_536; size >= 1;) {
      try {
        writeSync(file, Buffer.alloc(size));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        size = Math.floor(size / 2);
      }
    }
  } finally {
    closeSync(file);
  }
}

it('says so to the learner, keeps what it acknowledged, lives, and goes on once there is room', async () => {
  const browser = await lab.visit();
  const tab = await lab.connect(browser);
  await tab.request('step:open', TRAP);
  expect(await tab.request('step:predict', { option: 'host' })).toMatchObject({ predicted: 'host' });
  const full = join(disk, 'full');
  fill(full);

  // What is asked for is refused in a sentence; what the kernel shows is judged still, and its loss is told.
  await expect(tab.request('step:explain', { option: 'init' })).rejects.toThrow(/the lab’s disk is full/);
  lab.engine.patch({
    upsert: [scriptedProcess(200, { parentKey: '1101:101', startedAtMs: Date.now(), pidForChildren: 99 })],
  });
  await tab.until('it is judged', () => tab.heard('step:verdict').at(-1)?.[0].solved === true);
  await tab.until('the loss is told', () =>
    tab.heard('notice').some(([{ kind, text }]) => kind === 'error' && /disk is full/.test(text)),
  );
  expect(tab.heard('step:progress').some(([{ solvedAtMs }]) => solvedAtMs !== null)).toBe(false);
  // A reload meanwhile finds what was acknowledged, and nothing of what was refused.
  const { progress } = await (await lab.connect(browser)).request('step:open', TRAP);
  expect(progress).toMatchObject({ predicted: 'host', explained: null });

  rmSync(full);
  expect(await tab.request('step:explain', { option: 'init' })).toMatchObject({ explained: 'init', right: true });
  await lab.stop();
  await lab.start();
  const after = await (await lab.connect(browser)).request('step:open', TRAP);
  expect(after.progress).toMatchObject({ predicted: 'host', explained: 'init' });
});
