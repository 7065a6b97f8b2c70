import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cgroupHierarchies, mountsBelow, removablePackages, removeKnown } from './leftovers.mjs';

it('finds mounts below the state, the last one first, and none of its neighbours', () => {
  const mountinfo = `22 1 254:0 / / rw - ext4 /dev/vda rw
30 22 7:0 / /var/lib/drydock/sandboxes/a/disk rw - ext4 /dev/loop0 rw
31 30 0:40 / /var/lib/drydock/sandboxes/a/disk/x\\040y rw - tmpfs t rw
32 22 0:41 / /var/lib/drydock-lab rw - tmpfs t rw
`;
  expect(mountsBelow(mountinfo, ['/var/lib/drydock'])).toEqual([
    '/var/lib/drydock/sandboxes/a/disk/x y',
    '/var/lib/drydock/sandboxes/a/disk',
  ]);
});

it('finds the hierarchies of both versions', () => {
  const mounts =
    'tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/pids cgroup rw,pids 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n';
  expect(cgroupHierarchies(mounts)).toEqual(['/sys/fs/cgroup/pids', '/sys/fs/cgroup/unified']);
});

it('removes what it knows and leaves the rest where it is', () => {
  const folder = mkdtempSync(join(tmpdir(), 'drydock-known-'));
  try {
    mkdirSync(join(folder, 'sandboxes/a'), { recursive: true });
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    expect(removeKnown(folder, ['sandboxes', 'images'])).toEqual(['thesis.txt']);
    expect(existsSync(join(folder, 'sandboxes'))).toBe(false);
    rmSync(join(folder, 'thesis.txt'));
    expect(removeKnown(folder, ['sandboxes'])).toEqual([]);
    expect(existsSync(folder)).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('what Debian holds for essential is kept, the rest may go', () => {
  const said = 'e2fsprogs no yes\ngcc no \nmount no \nutil-linux yes \n';
  expect(removablePackages(said)).toEqual({ remove: ['gcc', 'mount'], keep: ['e2fsprogs', 'util-linux'] });
});
