import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Observation, ObservedExit, Snapshot } from '@drydock/engine/model/observed.ts';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import { scriptedProcess } from '../testing/scripted-engine.ts';
import { ObservationFeed } from './observation-feed.ts';

const exit = (key: string, atMs: number): ObservedExit => ({
  key,
  pids: [],
  parentKey: null,
  comm: 'sleep',
  code: 0,
  signal: null,
  atMs,
  initOf: null,
  pidNamespace: null,
  membersAlive: 0,
});
const snapshot = (seq: number, exits: ObservedExit[] = []): Snapshot => ({
  kind: 'snapshot',
  seq,
  atMs: seq,
  sandbox: 'ann',
  namespaces: scriptedProcess(1).namespaces,
  kernel: { release: '6.18', cgroup: 'v2' },
  hostname: 'dock',
  processes: [scriptedProcess(1)],
  exits,
});
const patch = (seq: number, exits: ObservedExit[] = []): Observation => ({
  kind: 'patch',
  seq,
  atMs: seq,
  upsert: [scriptedProcess(seq)],
  exits,
  gone: [],
  events: [],
});

/** Each call to observe plays the next script, then waits for ever or throws. */
let scripts: { play: Observation[]; fail?: Error }[];
let seen: { kind: string; seq: number }[];
let said: string[];
const feedOf = (): ObservationFeed =>
  new ObservationFeed(
    {
      async *observe(_watch, signal) {
        const script = scripts.shift() ?? { play: [], fail: new Error('absent') };
        yield* script.play;
        if (script.fail) throw script.fail;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      },
      changed: ({ kind }, { seq }) => void seen.push({ kind, seq }),
      lost: () => void said.push('lost'),
      back: () => void said.push('back'),
    },
    { namespaces: true, mounts: false },
  );

beforeEach(() => {
  vi.useFakeTimers();
  [scripts, seen, said] = [[], [], []];
});
afterEach(() => vi.useRealTimers());

describe('the feed', () => {
  it('applies patches to the first picture', async () => {
    scripts = [{ play: [snapshot(5), patch(6), patch(7)] }];
    const feed = feedOf();
    expect((await feed.start(false)).seq).toBe(5);
    await vi.advanceTimersByTimeAsync(1);
    expect(feed.state?.processes.map(({ pids }) => pids[0])).toEqual([1, 6, 7]);
    feed.stop();
  });

  it('asks again after a gap, and says nothing of it', async () => {
    scripts = [{ play: [snapshot(5), patch(9)] }, { play: [snapshot(12)] }];
    const feed = feedOf();
    await feed.start(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(seen).toEqual([
      { kind: 'snapshot', seq: 5 },
      { kind: 'snapshot', seq: 12 },
    ]);
    expect(said).toEqual([]);
    feed.stop();
  });

  it('keeps the ends that an engine forgot when it was restarted', async () => {
    scripts = [
      { play: [snapshot(5), patch(6, [exit('a', 1)])], fail: new Error('reset') },
      { play: [snapshot(1, [exit('b', 2)])] },
    ];
    const feed = feedOf();
    await feed.start(false);
    await vi.advanceTimersByTimeAsync(100);
    expect(feed.state?.exits.map(({ key }) => key)).toEqual(['a', 'b']);
    expect(said).toEqual([]);
    feed.stop();
  });

  it('tells of an interruption that lasts, and of its end', async () => {
    scripts = [{ play: [snapshot(5)], fail: new Error('reset') }];
    const feed = feedOf();
    await feed.start(false);
    await vi.advanceTimersByTimeAsync(2500);
    expect(said).toEqual([]);
    await vi.advanceTimersByTimeAsync(2000);
    expect(said).toEqual(['lost']);
    scripts = [{ play: [snapshot(9)] }];
    await vi.advanceTimersByTimeAsync(2000);
    expect(said).toEqual(['lost', 'back']);
    feed.stop();
  });

  it('that can’t begin says why', async () => {
    scripts = [{ play: [], fail: new EngineError('not_found', 'no such sandbox') }];
    await expect(feedOf().start(false)).rejects.toThrow('no such sandbox');
    const absent = expect(feedOf().start(false)).rejects.toThrow('absent');
    await vi.advanceTimersByTimeAsync(10_000);
    await absent;
  });

  it('that is begun again forgets, if it shall, what ended before', async () => {
    scripts = [{ play: [snapshot(5, [exit('a', 1)])] }, { play: [snapshot(1)] }];
    const feed = feedOf();
    await feed.start(false);
    expect((await feed.start(true)).exits).toEqual([]);
    feed.stop();
  });
});
