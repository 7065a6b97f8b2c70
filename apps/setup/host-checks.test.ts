import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { closedFolder, freeBytes, hostProblems } from './host-checks.mjs';

const GIB = 2 ** 30;
const good = {
  platform: 'linux',
  arch: 'x64',
  uid: 0,
  disks: [{ path: '/var/lib/drydock', freeBytes: 20 * GIB, neededBytes: 1.5 * GIB }],
  hidden: [],
  memoryAvailableBytes: 4 * GIB,
  memoryNeededBytes: 1.5 * GIB,
};

it('lets a machine with everything through', () => {
  expect(hostProblems(good)).toEqual([]);
});

it('says each thing that stands in the way, with what to do', () => {
  expect(hostProblems({ ...good, platform: 'darwin' })).toEqual([
    expect.stringMatching(/"darwin": use a Linux machine/),
  ]);
  expect(hostProblems({ ...good, arch: 'riscv64' })).toEqual([expect.stringMatching(/"riscv64"/)]);
  expect(hostProblems({ ...good, uid: 1000 })).toEqual([expect.stringMatching(/uid 1000.*sudo npm start/)]);
  const disks = [{ path: '/var/lib/drydock', freeBytes: 0.3 * GIB, neededBytes: 1.5 * GIB }];
  expect(hostProblems({ ...good, disks })).toEqual([
    expect.stringMatching(/"\/var\/lib\/drydock": 0\.3 GiB free, 1\.5 GiB needed.*DRYDOCK_ROOT/),
  ]);
  expect(hostProblems({ ...good, memoryAvailableBytes: GIB })).toEqual([
    expect.stringMatching(/1\.0 GiB available, 1\.5 GiB needed/),
  ]);
  expect(hostProblems({ ...good, uid: 1000, memoryAvailableBytes: 0 })).toHaveLength(2);
});

it('measures the disk of a folder that does not exist yet by its nearest parent', () => {
  expect(freeBytes('/no/such/folder')).toBe(freeBytes('/'));
});

it('finds the folder that keeps sandboxes from the state, and says so', () => {
  const scratch = mkdtempSync(join(tmpdir(), 'drydock-closed-'));
  try {
    mkdirSync(join(scratch, 'state'));
    expect(closedFolder(join(scratch, 'state/root'))).toBe(scratch);
    chmodSync(scratch, 0o711);
    expect(closedFolder(join(scratch, 'state/root'))).toBeNull();
  } finally {
    rmSync(scratch, { recursive: true });
  }
  expect(hostProblems({ ...good, hidden: [{ path: '/root/state', closed: '/root' }] })).toEqual([
    expect.stringMatching(/may pass "\/root"\. Set DRYDOCK_ROOT/),
  ]);
});
