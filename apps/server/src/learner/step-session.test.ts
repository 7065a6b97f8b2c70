// What counts as an attempt, with a scripted observation and a real database; only timers are in the test's hands.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { applyPatch } from '@drydock/engine/model/apply-patch.ts';
import type { Observation, ObservedProcess, Snapshot } from '@drydock/engine/model/observed.ts';
import { stepOfB2 } from '../checks/recorded.ts';
import { openDatabase, type Database } from '../repositories/database.ts';
import { Learners } from '../repositories/learners.ts';
import { Recordings } from '../repositories/recordings.ts';
import { Steps } from '../repositories/steps.ts';
import { scriptedProcess } from '../testing/scripted-engine.ts';
import { StepSession } from './step-session.ts';
import type { Tab } from './tab.ts';

const REF = { learner: 'ann', track: 'B', lesson: 'b2-pid', step: '1-the-trap' };
const MIGRATIONS = join(import.meta.dirname, '../../../../prisma/migrations');
const SHELL = scriptedProcess(10, { terminal: 't1', parentKey: null });
/** A bash that waits for its first child, in a namespace of its own: it contradicts step 1, which wants the host's. */
const astray = (pid = 20): ObservedProcess =>
  scriptedProcess(pid, {
    parentKey: SHELL.key,
    pids: [pid, 1],
    pidForChildren: 77,
    namespaces: { ...SHELL.namespaces, pid: 99 },
  });
const trapped = scriptedProcess(30, { parentKey: SHELL.key, pidForChildren: 88 });

let directory: string;
let database: Database;
let steps: Steps;
let attended: boolean;
let kernel: Kernel;
const sessions: StepSession[] = [];

/** Plays observations to whoever follows. */
class Kernel {
  state: Snapshot;
  #wake: ((observation: Observation) => void) | null = null;

  constructor(processes: ObservedProcess[]) {
    this.state = {
      kind: 'snapshot',
      seq: 0,
      atMs: 1,
      sandbox: 'ann',
      namespaces: SHELL.namespaces,
      kernel: { release: '6.18', cgroup: 'v2' },
      hostname: 'dock',
      processes,
      exits: [],
    };
  }

  async *observe(signal: AbortSignal): AsyncGenerator<Observation> {
    yield this.state;
    while (!signal.aborted)
      yield await new Promise<Observation>((resolve, reject) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => reject(new Error('aborted')));
      });
  }

  async change(change: { upsert?: ObservedProcess[]; gone?: string[] }): Promise<void> {
    const { seq } = this.state;
    const patch = { kind: 'patch' as const, seq: seq + 1, atMs: 2, upsert: [], exits: [], gone: [], events: [] };
    this.state = applyPatch(this.state, { ...patch, ...change });
    this.#wake?.({ ...patch, ...change });
    await new Promise((resolve) => setImmediate(resolve));
  }
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-step-'));
  database = await openDatabase(`file:${join(directory, 'lab.db')}`, MIGRATIONS);
  steps = new Steps(database);
  await new Learners(database).ensure('ann');
  kernel = new Kernel([SHELL]);
  attended = true;
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(async () => {
  vi.useRealTimers();
  for (const session of sessions.splice(0)) await session.close();
  await database.$disconnect();
  rmSync(directory, { recursive: true });
});

const tab: Tab = { id: 'tab', language: 'en', emit: () => undefined, congested: () => false };

async function opened(epoch = 'e1'): Promise<StepSession> {
  const fail = (error: unknown): void => {
    throw error;
  };
  const session = new StepSession(REF, stepOfB2(REF.step), {
    observe: (_watch, signal) => kernel.observe(signal),
    attended: () => attended,
    steps,
    recordings: new Recordings(database),
    trouble: fail,
    lost: fail,
    back: () => undefined,
  });
  sessions.push(session);
  await session.open(epoch, async () => undefined);
  session.enter(tab);
  return session;
}

/** How many were stored, once all that was begun is written. */
async function attempts(session: StepSession): Promise<number> {
  await session.close();
  return (await steps.find(REF))?.progress.attempts ?? 0;
}

describe('an attempt', () => {
  it('is a contradiction that stays, counted once', async () => {
    const session = await opened();
    await kernel.change({ upsert: [astray()] });
    expect(session.verdict('en').checks[0]?.state).toBe('contradicts');
    await vi.advanceTimersByTimeAsync(400);
    await kernel.change({ upsert: [{ ...astray(), comm: 'sh' }] });
    await vi.advanceTimersByTimeAsync(400);
    expect(await attempts(session)).toBe(1);
  });

  it('is none when it is gone sooner', async () => {
    const session = await opened();
    await kernel.change({ upsert: [astray()] });
    await kernel.change({ gone: [astray().key] });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await attempts(session)).toBe(0);
  });

  it('is none when it became another one, until that one stays', async () => {
    const session = await opened();
    await kernel.change({ upsert: [astray(20)] });
    await vi.advanceTimersByTimeAsync(399);
    await kernel.change({ upsert: [astray(21)] });
    await vi.advanceTimersByTimeAsync(399);
    expect(session.progress.attempts).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(await attempts(session)).toBe(1);
  });

  it('is not what stands there when the step begins, but what the same process does then', async () => {
    kernel = new Kernel([SHELL, astray()]);
    const session = await opened();
    await kernel.change({ upsert: [scriptedProcess(40)] });
    await vi.advanceTimersByTimeAsync(1000);
    expect(session.verdict('en').checks[0]?.state).toBe('contradicts');
    expect(session.progress.attempts).toBe(0);
    await kernel.change({ upsert: [{ ...astray(), pidForChildren: null }] });
    await vi.advanceTimersByTimeAsync(1000);
    expect(await attempts(session)).toBe(1);
  });

  it('is not counted again when the step is opened again', async () => {
    const first = await opened();
    await kernel.change({ upsert: [astray()] });
    await vi.advanceTimersByTimeAsync(400);
    expect(await attempts(first)).toBe(1);
    const second = await opened();
    await vi.advanceTimersByTimeAsync(1000);
    expect(second.progress.attempts).toBe(1);
    expect(await attempts(second)).toBe(1);
  });

  it('is nothing that is done in another step, until that meets the goal of this one when it is opened again', async () => {
    const session = await opened();
    attended = false;
    await kernel.change({ upsert: [astray()] });
    await vi.advanceTimersByTimeAsync(1000);
    attended = true;
    session.enter(tab);
    await vi.advanceTimersByTimeAsync(1000);
    expect(session.progress.attempts).toBe(0);

    attended = false;
    await kernel.change({ gone: [astray().key], upsert: [trapped] });
    await vi.advanceTimersByTimeAsync(1000);
    expect(session.progress.attempts).toBe(0);
    attended = true;
    session.enter(tab);
    expect(await attempts(session)).toBe(1);
    expect((await steps.find(REF))?.progress.solvedAtMs).not.toBeNull();
  });
});
