import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Observation, Snapshot } from '@drydock/engine/model/observed.ts';
import { scriptedProcess } from '../testing/scripted-engine.ts';
import type { RecordingChunk } from '../repositories/recordings.ts';
import { Recorder } from './recorder.ts';

const state = (seq: number): Snapshot => ({
  kind: 'snapshot',
  seq,
  atMs: seq,
  sandbox: 'ann',
  namespaces: scriptedProcess(1).namespaces,
  kernel: { release: '6.18', cgroup: 'v2' },
  hostname: 'dock',
  processes: [],
  exits: [],
});
const patch = (seq: number, size = 0): Observation => ({
  kind: 'patch',
  seq,
  atMs: seq,
  upsert: size > 0 ? [scriptedProcess(seq, { argv: ['x'.repeat(size)] })] : [],
  exits: [],
  gone: [],
  events: [],
});

let chunks: RecordingChunk[];
const recorderOf = (): Recorder => new Recorder(async (chunk) => void chunks.push(chunk));
const kinds = ({ lines }: RecordingChunk): string[] =>
  lines.map((line) => {
    const { kind, seq }: { kind: string; seq: number } = JSON.parse(line);
    return `${kind} ${seq}`;
  });

beforeEach(() => {
  vi.useFakeTimers();
  chunks = [];
});
afterEach(() => vi.useRealTimers());

it('opens every chunk with the whole state', async () => {
  const recorder = recorderOf();
  for (const seq of [1, 2, 3]) recorder.add(patch(seq), state(seq));
  await recorder.flush();
  recorder.add(patch(4), state(4));
  await recorder.flush();
  expect(chunks.map(kinds)).toEqual([['snapshot 1', 'patch 2', 'patch 3'], ['snapshot 4']]);
  expect(chunks[0]).toMatchObject({ fromMs: 1, toMs: 3 });
});

it('writes after a while, and when there is much', async () => {
  const recorder = recorderOf();
  recorder.add(patch(1), state(1));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(chunks).toHaveLength(1);
  recorder.add(patch(2), state(2));
  recorder.add(patch(3, 300_000), state(3));
  await vi.advanceTimersByTimeAsync(0);
  expect(chunks.map(kinds)).toEqual([['snapshot 1'], ['snapshot 2', 'patch 3']]);
});

it('goes on when a chunk can’t be kept', async () => {
  let fail = true;
  const recorder = new Recorder(async (chunk) => {
    if (fail) throw new Error('disk full');
    chunks.push(chunk);
  });
  recorder.add(patch(1), state(1));
  await recorder.flush();
  fail = false;
  recorder.add(patch(2), state(2));
  await recorder.flush();
  expect(chunks.map(kinds)).toEqual([['snapshot 2']]);
});
