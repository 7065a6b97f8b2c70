// The harness on the real machine: its disk, its C programs, and one tiny comparison.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { busyboxFiles } from '../../engine/src/testing/test-image.ts';
import { makeDisk } from './disk.ts';
import { interleave } from './interleave.ts';
import { bareRuntimes } from './peers/bare-runtime.ts';
import { parentOf, pssMib, treeOf } from './process-memory.ts';
import { compare } from './row.ts';

const TREES = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map((tree) => join('/sys/fs/cgroup', tree))];
const floorGroups = () =>
  TREES.filter((tree) => statSync(tree).isDirectory()).flatMap((tree) =>
    readdirSync(tree).filter((name) => name.startsWith('drydock-floor')),
  );
const mounts = () => readFileSync('/proc/self/mountinfo', 'utf8');

test('a container is made by bare system calls beside unshare, and nothing is left of it', async () => {
  const disk = makeDisk();
  onTestFinished(() => disk.remove());
  expect(mounts()).toContain(disk.path);
  expect(readFileSync('/proc/mounts', 'utf8')).toMatch(new RegExp(`${disk.path} ext4 `));
  const rootfs = join(disk.path, 'rootfs');
  mkdirSync(rootfs);
  busyboxFiles(rootfs);
  const { sides } = bareRuntimes(disk, rootfs, process.env);
  const two = sides.filter(({ name }) => name === 'floor' || name === 'unshare');
  const taken = await interleave(two, { samples: 3, batch: 2 });
  const row = compare(
    { id: 'start.hot', what: 'run true', unit: 'ms', peerName: 'unshare' },
    taken.get('floor') ?? [],
    taken.get('unshare') ?? [],
  );
  expect(row.samples.ours).toHaveLength(3);
  expect(row.samples.peer).toHaveLength(3);
  expect(Math.min(...row.samples.ours, ...row.samples.peer)).toBeGreaterThan(0);
  expect(floorGroups()).toEqual([]);
  expect(readdirSync(join(disk.path, 'floor'))).toEqual(['merged']);
  disk.remove();
  expect(mounts()).not.toContain(disk.path);
  expect([disk.path, disk.run].map((path) => existsSync(path))).toEqual([false, false]);
});

test('memory is counted of a process and those below it', () => {
  expect(treeOf(process.pid)[0]).toBe(process.pid);
  expect(treeOf(process.ppid)).toContain(process.pid);
  expect(parentOf(process.pid)).toBe(process.ppid);
  expect(pssMib(process.pid)).toBeGreaterThan(1);
  expect(pssMib(2 ** 30)).toBe(0);
});
