import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { openProcConnector } from '../kernel/proc-connector.ts';
import { procSource } from '../kernel/proc/source.ts';
import { applyPatch } from '../model/apply-patch.ts';
import type { Snapshot } from '../model/observed.ts';
import { startTestSandbox } from '../testing/observed-sandbox.ts';
import { monotonicMs } from './clock.ts';
import { Observatory } from './observatory.ts';

const INSTANCE = `observatory-test-${process.pid}`;
const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});
const sleep = (ms: number) => new Promise((later) => setTimeout(later, ms));

describe('events lost by the kernel (ENOBUFS)', () => {
  it('are made good by a sweep: who is there is shown, who has gone is told as ended unseen', async () => {
    const box = await startTestSandbox(INSTANCE, 'anna');
    cleanUps.push(() => box.remove());
    // A buffer so small that a handful of processes is too many.
    const connector = openProcConnector(4096);
    if (connector === null) throw new Error('this test needs the proc connector');
    cleanUps.push(() => connector.close());
    let state: Snapshot | null = null;
    const observatory = new Observatory(procSource, INSTANCE, true, {
      change: (_, change) => {
        if (state) state = applyPatch(state, { kind: 'patch', seq: state.seq + 1, ...change });
      },
      ended: () => {},
    });
    cleanUps.push(() => observatory.stop('anna'));
    const commands = () => state?.processes.map(({ argv }) => argv.join(' ')).toSorted();
    const turn = () => {
      let lost = false;
      for (let more = true; more;) {
        const drained = connector.drain(500);
        observatory.events(drained.events, drained.lost, monotonicMs());
        lost ||= drained.lost;
        more = drained.more;
      }
      observatory.run(monotonicMs());
      return lost;
    };
    box.run('sleep 41 & sleep 42 &');
    const begun: Snapshot = {
      kind: 'snapshot',
      seq: 0,
      atMs: 0,
      sandbox: 'anna',
      kernel: { release: '6', cgroup: 'hybrid' },
      exits: [],
      ...observatory.start('anna', box.initPid, { namespaces: true, mounts: false }, monotonicMs()),
    };
    state = begun;
    for (let tries = 0; tries < 1000 && commands()?.length !== 3; tries++) {
      turn();
      await sleep(5);
    }
    expect(commands()).toEqual(['sh', 'sleep 41', 'sleep 42']);
    // Nobody listens for a while: 60 processes come and go, one stays, one of the former ends.
    const done = `/tmp/${INSTANCE}`;
    const first = state.processes.find(({ argv }) => argv[1] === '41');
    if (first) process.kill(first.hostPid, 'SIGKILL');
    box.run(`i=0; while [ $i -lt 60 ]; do (exit 0); i=$((i+1)); done; sleep 43 & mkdir ${done}`);
    for (let tries = 0; tries < 1000 && !existsSync(done); tries++) await sleep(5);
    box.run(`rmdir ${done}`);
    let lost = false;
    for (let tries = 0; tries < 400 && commands()?.join() !== 'sh,sleep 42,sleep 43'; tries++) {
      lost = turn() || lost;
      await sleep(5);
    }
    expect(lost).toBe(true);
    expect(commands()).toEqual(['sh', 'sleep 42', 'sleep 43']);
    const exits = state.exits.filter(({ comm }) => comm === 'sleep');
    expect(exits).toHaveLength(1);
  });
});
