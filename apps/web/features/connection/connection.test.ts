import type { ObservedExit, ObservedProcess, Patch, Snapshot } from '@drydock/protocol/observed.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { emptyLabState, isSolved, withNotice, withVerdict } from './lab-state.ts';
import { LINGER_MS, scopeFeed, type ScopeFeed, type ScopeState } from './scope-feed.ts';

const ns = { pid: 1, mnt: 1, net: 1, uts: 1, ipc: 1, user: 1, cgroup: 1, time: 1 };
const process = (pid: number): ObservedProcess => ({
  key: `k${pid}`,
  hostPid: pid,
  pids: [pid],
  parentKey: null,
  comm: 'sleep',
  argv: ['sleep'],
  state: 'S',
  startedAtMs: 0,
  uidInside: 0,
  uidOutside: 0,
  namespaces: ns,
  pidForChildren: 1,
  timeForChildren: 1,
  cgroup: '/',
  terminal: null,
  controllingTty: null,
  rootInode: null,
  mounts: null,
});
const snapshot = (seq: number, processes: ObservedProcess[]): Snapshot => ({
  kind: 'snapshot',
  seq,
  atMs: 0,
  sandbox: 's',
  namespaces: ns,
  kernel: { release: '6.18', cgroup: 'v2' },
  hostname: 'dock',
  processes,
  exits: [],
});
const exit = (pid: number): ObservedExit => ({
  key: `k${pid}`,
  pids: [pid],
  parentKey: null,
  comm: 'ls',
  code: 0,
  signal: null,
  atMs: 0,
  initOf: null,
  pidNamespace: 1,
  membersAlive: 0,
});
const patch = (seq: number, change: Partial<Patch>): Patch => ({
  kind: 'patch',
  seq,
  atMs: 0,
  upsert: [],
  exits: [],
  gone: [],
  events: [],
  ...change,
});

describe('scopeFeed', () => {
  let published: ScopeState[];
  let gaps: number;
  let now: number;
  let timers: { atMs: number; callback: () => void }[];
  let frames: (() => void)[];
  let feed: ScopeFeed;
  const frame = () => {
    for (const callback of frames.splice(0)) callback();
  };
  const pass = (ms: number) => {
    now += ms;
    for (const timer of timers.splice(0)) {
      if (timer.atMs <= now) timer.callback();
      else timers.push(timer);
    }
  };
  const keys = () => published.at(-1)?.snapshot.processes.map(({ key }) => key);

  beforeEach(() => {
    published = [];
    gaps = 0;
    now = 0;
    timers = [];
    frames = [];
    feed = scopeFeed(
      (state) => published.push(state),
      () => (gaps += 1),
      {
        now: () => now,
        frame: (callback) => frames.push(callback),
        after: (ms, callback) => {
          timers.push({ atMs: now + ms, callback });
          return () => undefined;
        },
      },
    );
    feed.snapshot(snapshot(5, [process(1)]));
  });

  it('publishes once a frame, however many patches came', () => {
    feed.patch(patch(6, { upsert: [process(2)] }));
    feed.patch(patch(7, { upsert: [process(3)] }));
    expect(published).toHaveLength(0);
    frame();
    expect(published).toHaveLength(1);
    expect(keys()).toEqual(['k1', 'k2', 'k3']);
  });

  it('asks once after a gap, and takes nothing until the snapshot is there', () => {
    feed.patch(patch(8, { upsert: [process(8)] }));
    feed.patch(patch(9, { upsert: [process(9)] }));
    expect(gaps).toBe(1);
    feed.snapshot(snapshot(9, [process(1), process(9)]));
    feed.patch(patch(9, { upsert: [process(77)] }));
    feed.patch(patch(10, { upsert: [process(10)] }));
    frame();
    expect(keys()).toEqual(['k1', 'k9', 'k10']);
    expect(gaps).toBe(1);
  });

  it('keeps what has ended on the sheet for a while, even what came and went at once', () => {
    feed.patch(patch(6, { exits: [exit(1), exit(40)] }));
    frame();
    expect(published.at(-1)?.ghosts.map((ghost) => ghost.process.comm)).toEqual(['sleep', 'ls']);
    pass(LINGER_MS);
    frame();
    expect(published.at(-1)?.ghosts).toEqual([]);
  });

  it('draws a zombie as what it is, not as gone', () => {
    feed.patch(patch(6, { upsert: [{ ...process(1), state: 'Z' }], exits: [exit(1)] }));
    frame();
    expect(keys()).toEqual(['k1']);
    expect(published.at(-1)?.ghosts).toEqual([]);
  });
});

describe('lab state', () => {
  const verdict = { step: 'a', seq: 1, subject: null, checks: [], hint: null, solved: true };

  it('drops the verdict of a step that is no longer open', () => {
    const state = { ...emptyLabState([]), openStep: 'b' };
    expect(withVerdict(state, verdict, '1', true)).toBe(state);
    expect(withVerdict({ ...state, openStep: 'a' }, verdict, '1', true)).toMatchObject({
      observed: '1',
      predictedRight: true,
    });
    expect(isSolved(withVerdict({ ...state, openStep: 'a' }, verdict, '1', true), 'a')).toBe(true);
  });

  it('says a sentence once', () => {
    let state = emptyLabState([]);
    for (let id = 1; id < 4; id += 1) state = withNotice(state, { id, kind: 'error', text: 'The disk is full.' });
    expect(state.notices).toEqual([{ id: 3, kind: 'error', text: 'The disk is full.' }]);
  });
});
