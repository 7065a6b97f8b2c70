// One learner's sandbox over its life, against the engine's real routes with a scripted kernel, and a real database.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineClient } from '../engine-client/engine-client.ts';
import { openDatabase, type Database } from '../repositories/database.ts';
import { Learners } from '../repositories/learners.ts';
import { Leases } from '../repositories/leases.ts';
import { ScriptedEngine } from '../testing/scripted-engine.ts';
import { LEASE_POLICY as policy } from './lease-policy.ts';
import { SandboxKeeper } from './sandbox-keeper.ts';

let directory: string;
let scripted: ScriptedEngine;
let engine: EngineClient;
let database: Database;
const keeperOf = (): SandboxKeeper =>
  new SandboxKeeper({ engine, leases: new Leases(database), policy, learner: 'ann', changed: () => undefined });
const stateOf = (): string | undefined => scripted.sandboxes.get('ann')?.state;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-keeper-'));
  scripted = new ScriptedEngine(join(directory, 'lab.sock'));
  await scripted.listen();
  engine = new EngineClient(scripted.socketPath);
  database = await openDatabase(
    `file:${join(directory, 'lab.db')}`,
    join(import.meta.dirname, '../../../../prisma/migrations'),
  );
  await new Learners(database).ensure('ann');
});
afterEach(async () => {
  engine.close();
  await scripted.die();
  await database.$disconnect();
  rmSync(directory, { recursive: true });
});

describe('a sandbox', () => {
  it('is started once, however many wait for it', async () => {
    const keeper = keeperOf();
    const all = await Promise.all([keeper.ready(), keeper.ready(), keeper.ready()]);
    expect(new Set(all.map(({ epoch }) => epoch)).size).toBe(1);
    expect((await keeper.ready()).epoch).toBe(all[0].epoch);
    expect(all[0].resumed).toBeNull();
  });

  it('is frozen when nobody looks, and goes on in the same life', async () => {
    const keeper = keeperOf();
    const { epoch } = await keeper.ready();
    expect(await keeper.enforce(false, Date.now() + policy.freezeAfterMs - 60_000)).toBeNull();
    expect(await keeper.enforce(false, Date.now() + policy.freezeAfterMs + 60_000)).toBe('freeze');
    expect(stateOf()).toBe('frozen');
    expect(keeper.status('en').message).toMatch(/for 30 minutes.*frozen/);
    expect(await keeper.ready()).toEqual({ epoch, resumed: 'frozen' });
    expect(stateOf()).toBe('running');
  });

  it('is ended only after whoever follows it has looked away', async () => {
    const keeper = keeperOf();
    await keeper.ready();
    const before: (string | undefined)[] = [];
    await keeper.enforce(false, Date.now(), () => before.push(stateOf()));
    expect(before).toEqual([]);
    await keeper.enforce(false, Date.now() + 2 * policy.wallClockMs, () => before.push(stateOf()));
    expect(before).toEqual(['running']);
    expect(stateOf()).toBe('stopped');
  });

  it('is stopped later, by whichever process looks after it then', async () => {
    await keeperOf().ready();
    const seen = Date.now();
    await keeperOf().enforce(false, seen + policy.freezeAfterMs + 1000);
    const restarted = keeperOf();
    expect(await restarted.enforce(false, seen + policy.freezeAfterMs + policy.stopAfterMs + 2000)).toBe('stop-idle');
    expect(stateOf()).toBe('stopped');
    expect(restarted.status('en').message).toMatch(/files are kept/);
    expect(await restarted.enforce(false, seen + 10 * policy.mostMs)).toBeNull();
    expect((await restarted.ready()).resumed).toBe('stopped');
  });

  it('announces its end with a countdown, is extended, and ends in the end', async () => {
    const keeper = keeperOf();
    await keeper.ready();
    const near = Date.now() + policy.wallClockMs - 60_000;
    expect(keeper.status('en').ending).toBeNull();
    const { ending } = keeper.status('en', near);
    expect(ending?.reason).toMatch(/time limit/);
    expect(ending!.atMs - near).toBeLessThanOrEqual(policy.announceMs);
    await keeper.extend(near);
    expect(keeper.status('en', near).ending).toBeNull();
    expect(await keeper.enforce(true, near + 120_000)).toBeNull();
    await expect(
      (async () => {
        for (let hours = 0; hours < 30; hours += 1) await keeper.extend(near + hours * 3_600_000);
      })(),
    ).rejects.toThrow(/24 hours at most/);
    expect(await keeper.enforce(true, Date.now() + policy.mostMs + 60_000)).toBe('stop-clock');
    expect(keeper.status('zh').message).toMatch(/时间上限/);
  });

  it('that ended by itself is noticed', async () => {
    const keeper = keeperOf();
    await keeper.ready();
    await keeper.measure();
    expect(keeper.status('en')).toMatchObject({ state: 'running', memoryBytes: 12 * 2 ** 20 });
    scripted.sandboxes.delete('ann');
    await keeper.measure();
    await keeper.measure();
    expect(keeper.status('en')).toMatchObject({
      state: 'stopped',
      message: expect.stringMatching(/first process ended/),
    });
  });

  it('that is gone from the engine does not keep its lease', async () => {
    const keeper = keeperOf();
    await keeper.ready();
    scripted.sandboxes.delete('ann');
    expect(await keeper.enforce(false, Date.now() + 2 * policy.wallClockMs)).toBe('stop-clock');
    expect(await new Leases(database).live()).toEqual([]);
  });
});
