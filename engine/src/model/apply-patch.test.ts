import { describe, expect, it } from 'vitest';
import { applyPatch, MAX_EXITS } from './apply-patch.ts';
import type { ObservedExit, ObservedProcess, Patch, Snapshot } from './observed.ts';

const namespaces = { pid: 1, mnt: 2, net: 3, uts: 4, ipc: 5, user: 6, cgroup: 7, time: 8 };
const process = (key: string, state: ObservedProcess['state'] = 'S'): ObservedProcess => ({
  key,
  hostPid: Number(key.split(':')[0]),
  pids: [1],
  parentKey: null,
  comm: 'sh',
  argv: ['sh'],
  state,
  startedAtMs: 0,
  uidInside: 0,
  uidOutside: 0,
  namespaces,
  pidForChildren: 1,
  timeForChildren: 8,
  cgroup: '/',
  terminal: null,
  controllingTty: null,
  rootInode: null,
  mounts: null,
});
const exit = (key: string): ObservedExit => ({
  key,
  pids: [1],
  parentKey: null,
  comm: 'sh',
  code: 0,
  signal: null,
  atMs: 0,
  initOf: null,
  pidNamespace: 1,
  membersAlive: 0,
});
const state: Snapshot = {
  kind: 'snapshot',
  seq: 4,
  atMs: 0,
  sandbox: 's',
  namespaces,
  kernel: { release: '6', cgroup: 'v2' },
  hostname: 'dock',
  processes: [process('10:1'), process('11:1')],
  exits: [],
};
const patch = (change: Partial<Patch>): Patch => ({
  kind: 'patch',
  seq: 5,
  atMs: 1,
  upsert: [],
  exits: [],
  gone: [],
  events: [],
  ...change,
});
const keys = (snapshot: Snapshot) => snapshot.processes.map((each) => `${each.key} ${each.state}`);

describe('applyPatch', () => {
  it('adds, replaces and removes', () => {
    const next = applyPatch(state, patch({ upsert: [process('11:1', 'R'), process('12:1')], exits: [exit('10:1')] }));
    expect(keys(next)).toEqual(['11:1 R', '12:1 S']);
    expect(next.exits.map((each) => each.key)).toEqual(['10:1']);
  });
  it('keeps a zombie until its parent has waited for it', () => {
    const zombie = applyPatch(state, patch({ upsert: [process('10:1', 'Z')], exits: [exit('10:1')] }));
    expect(keys(zombie)).toEqual(['10:1 Z', '11:1 S']);
    expect(keys(applyPatch(zombie, patch({ seq: 6, gone: ['10:1'] })))).toEqual(['11:1 S']);
  });
  it('shows nothing of a process that came and went within one patch, but its end', () => {
    const next = applyPatch(state, patch({ upsert: [process('12:1')], exits: [exit('12:1')] }));
    expect(keys(next)).toEqual(['10:1 S', '11:1 S']);
    expect(next.exits).toHaveLength(1);
  });
  it('refuses a gap', () => {
    expect(() => applyPatch(state, patch({ seq: 7 }))).toThrow(RangeError);
  });
  it('remembers a bounded number of ends, the latest', () => {
    const exits = Array.from({ length: MAX_EXITS + 3 }, (_, index) => exit(`${index + 100}:1`));
    const next = applyPatch(state, patch({ exits }));
    expect(next.exits).toHaveLength(MAX_EXITS);
    expect(next.exits.at(-1)?.key).toBe(`${MAX_EXITS + 102}:1`);
  });
});
