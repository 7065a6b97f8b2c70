import { describe, expect, it } from 'vitest';
import type { Patch, Snapshot } from '../model/observed.ts';
import { emptyChange } from './change.ts';
import { Listener } from './listener.ts';

const patch = (seq: number): Patch => ({ kind: 'patch', seq, ...emptyChange() });
const snapshot = (seq: number): Snapshot => ({
  kind: 'snapshot',
  seq,
  atMs: 0,
  sandbox: 's',
  namespaces: { pid: 1, mnt: 1, net: 1, uts: 1, ipc: 1, user: 1, cgroup: 1, time: 1 },
  kernel: { release: '6', cgroup: 'v2' },
  hostname: 'dock',
  processes: [],
  exits: [],
});

describe('Listener', () => {
  it('hands on in order, and waits', async () => {
    const listener = new Listener(
      () => snapshot(0),
      () => {},
    );
    const first = listener.next();
    listener.push(patch(1));
    listener.push(patch(2));
    expect((await first).value).toMatchObject({ seq: 1 });
    expect((await listener.next()).value).toMatchObject({ seq: 2 });
  });

  it('gives a slow reader a fresh snapshot, and the patches after it', async () => {
    let now = 0;
    const listener = new Listener(
      () => snapshot(now),
      () => {},
    );
    for (now = 1; now <= 1000; now++) listener.push(patch(now));
    now = 1000;
    expect((await listener.next()).value).toMatchObject({ kind: 'snapshot', seq: 1000 });
    listener.push(patch(1001));
    expect((await listener.next()).value).toMatchObject({ kind: 'patch', seq: 1001 });
  });

  it('ends after what waits was read, once, and says so once', async () => {
    let left = 0;
    const listener = new Listener(
      () => snapshot(0),
      () => left++,
    );
    listener.push(patch(1));
    listener.end(new Error('over'));
    listener.push(patch(2));
    expect((await listener.next()).value).toMatchObject({ seq: 1 });
    await expect(listener.next()).rejects.toThrow('over');
    expect(await listener.next()).toEqual({ done: true, value: undefined });
    await listener.return();
    expect(left).toBe(1);
  });

  it('wakes a reader that waits when it is left', async () => {
    const listener = new Listener(
      () => snapshot(0),
      () => {},
    );
    const waiting = listener.next();
    await listener.return();
    expect((await waiting).done).toBe(true);
  });
});
