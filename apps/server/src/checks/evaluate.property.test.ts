// What must not change a verdict: the order of processes, and processes that have nothing to do with it. Seeded.
import { expect, test } from 'vitest';
import type { ObservedProcess, Snapshot } from '@drydock/engine/model/observed.ts';
import { evaluate } from './evaluate.ts';
import { observedForPrediction } from './prediction.ts';
import { CONTEXT, recorded, stepOfB2 } from './recorded.ts';

const STEPS = ['1-the-trap', '2-a-tree', '3-killing-pid-1'].map(stepOfB2);
const RECORDINGS = [
  'start',
  'trapped-unforked',
  'trapped-first-child-lives',
  'trapped-dead',
  'trapped-nested',
  'forked-without-proc',
  'tree',
  'tree-with-sleep',
  'tree-nested',
  'mount-proc-without-fork',
  'proc-mounted-too-early',
  'proc-mounted-by-a-child',
  'proc-over-the-hosts',
  'init-killed',
  'init-killed-alone',
  'init-exited',
];
const SEEDS = Array.from({ length: 20 }, (_, seed) => seed + 1);

/** mulberry32: numbers in [0, 1) that depend on the seed only. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], next: () => number): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = Math.floor(next() * (i + 1));
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

function verdicts(snapshot: Snapshot): unknown[] {
  return STEPS.map(({ id, step }) => [
    evaluate(id, step, snapshot, CONTEXT),
    observedForPrediction(step, snapshot, CONTEXT),
  ]);
}

test.each(RECORDINGS)('%s: the order of processes makes no difference', (name) => {
  const snapshot = recorded(name);
  const wanted = verdicts(snapshot);
  for (const seed of SEEDS)
    expect(verdicts({ ...snapshot, processes: shuffled(snapshot.processes, random(seed)) })).toEqual(wanted);
});

test.each(RECORDINGS)('%s: processes that did nothing special make no difference', (name) => {
  const snapshot = recorded(name);
  const wanted = verdicts(snapshot);
  for (const seed of SEEDS) {
    const next = random(seed);
    const processes = shuffled([...snapshot.processes, ...bystanders(snapshot, next)], next);
    expect(verdicts({ ...snapshot, processes })).toEqual(wanted);
  }
});

/** Ordinary children of the sandbox's shells: in its namespaces, as are their children to be. */
function bystanders(snapshot: Snapshot, next: () => number): ObservedProcess[] {
  const parents = snapshot.processes.filter(({ pids, terminal }) => terminal !== null || pids[0] === 1);
  return Array.from({ length: 1 + Math.floor(next() * 8) }, (_, i) => ({
    key: `${900_000 + i}:${Math.floor(next() * 1e6)}`,
    hostPid: 900_000 + i,
    pids: [20_000 + i],
    parentKey: parents[Math.floor(next() * parents.length)]!.key,
    comm: ['vim', 'sleep', 'bash', 'ps'][Math.floor(next() * 4)]!,
    argv: ['bash'],
    state: (['R', 'S', 'T', 'Z'] as const)[Math.floor(next() * 4)]!,
    startedAtMs: snapshot.atMs + Math.floor(next() * 1000),
    uidInside: 0,
    uidOutside: 0,
    namespaces: snapshot.namespaces,
    pidForChildren: snapshot.namespaces.pid,
    timeForChildren: snapshot.namespaces.time,
    cgroup: '/',
    terminal: null,
    controllingTty: null,
    rootInode: null,
    mounts: null,
  }));
}
