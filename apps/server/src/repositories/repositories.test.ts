import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Observation } from '@drydock/engine/model/observed.ts';
import type { Verdict } from '@drydock/protocol/verdict.ts';
import { DiskFullError, openDatabase, type Database } from './database.ts';
import { Leases } from './leases.ts';
import { Learners } from './learners.ts';
import { Recordings } from './recordings.ts';
import { Steps } from './steps.ts';

const migrations = join(import.meta.dirname, '../../../../prisma/migrations');
let directory: string;
let url: string;
const opened: Database[] = [];
const open = async (): Promise<Database> => {
  const database = await openDatabase(url, migrations);
  opened.push(database);
  return database;
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-db-'));
  url = `file:${join(directory, 'lab.db')}`;
});
afterEach(async () => {
  for (const database of opened.splice(0)) await database.$disconnect();
  rmSync(directory, { recursive: true });
});

const ref = { learner: 'ann', track: 'B', lesson: 'pid', step: '1-trap' };
const start = { startedAtMs: 1000, sandboxEpoch: 'e1', baseline: ['1:1'] };
const verdict = (solved: boolean): Verdict => ({
  step: '1-trap',
  seq: 3,
  subject: null,
  checks: [],
  hint: 'h',
  solved,
});

describe('the database', () => {
  it('is made by the migrations, recorded as Prisma records them, and opened again as it was', async () => {
    const first = await open();
    await new Learners(first).ensure('ann');
    await first.$disconnect();
    const rows = await (
      await open()
    ).$queryRawUnsafe<{ migration_name: string; finished_at: unknown }[]>(
      'SELECT migration_name, finished_at FROM _prisma_migrations',
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]!.finished_at).not.toBeNull();
    expect(await opened[1]!.learner.count()).toBe(1);
  });

  it('keeps each acknowledged write on the disk before it answers', async () => {
    const database = await open();
    const [mode] = await database.$queryRawUnsafe<{ journal_mode: string }[]>('PRAGMA journal_mode');
    const [sync] = await database.$queryRawUnsafe<{ synchronous: bigint }[]>('PRAGMA synchronous');
    expect(mode!.journal_mode).toBe('wal');
    expect(Number(sync!.synchronous)).toBe(2);
  });

  it('refuses a file of a newer version, a changed migration and a file that is none, in a sentence', async () => {
    const database = await open();
    await database.$executeRawUnsafe(
      "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('x', 'y', '99990101000000_later')",
    );
    await database.$disconnect();
    await expect(openDatabase(url, migrations)).rejects.toThrow(/lab\.db.*99990101000000_later.*newer Drydock/);

    const copy = join(directory, 'migrations');
    mkdirSync(join(copy, '1_a'), { recursive: true });
    writeFileSync(join(copy, '1_a/migration.sql'), 'CREATE TABLE a (b TEXT);');
    const other = `file:${join(directory, 'other.db')}`;
    await (await openDatabase(other, copy)).$disconnect();
    writeFileSync(join(copy, '1_a/migration.sql'), 'CREATE TABLE a (c TEXT);');
    await expect(openDatabase(other, copy)).rejects.toThrow(/"1_a": it was changed/);

    const broken = join(directory, 'broken.db');
    writeFileSync(broken, 'not SQLite at all, '.repeat(100));
    await expect(openDatabase(`file:${broken}`, migrations)).rejects.toThrow(/broken\.db.*Move the file away/);
  });

  it('applies a migration whole or not at all', async () => {
    const copy = join(directory, 'migrations');
    mkdirSync(join(copy, '1_a'), { recursive: true });
    writeFileSync(join(copy, '1_a/migration.sql'), 'CREATE TABLE a (b TEXT); CREATE TABLE nonsense (;');
    await expect(openDatabase(url, copy)).rejects.toThrow(/Cannot apply migration "1_a"/);
    writeFileSync(join(copy, '1_a/migration.sql'), 'CREATE TABLE a (b TEXT);');
    await (await openDatabase(url, copy)).$disconnect();
  });

  it('has every acknowledged row after the writer was killed', async () => {
    await (await open()).$disconnect();
    const script = join(directory, 'writer.mts');
    const source = join(import.meta.dirname, 'database.ts');
    writeFileSync(
      script,
      `import { openDatabase } from ${JSON.stringify(source)};
       const database = await openDatabase(${JSON.stringify(url)}, ${JSON.stringify(migrations)});
       for (let n = 0; ; n += 1) { await database.learner.create({ data: { id: 'l' + n } }); process.stdout.write(n + '\\n'); }`,
    );
    const writer = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    let acknowledged = -1;
    for await (const chunk of writer.stdout) {
      acknowledged = Number(String(chunk).trim().split('\n').at(-1));
      if (acknowledged >= 20) break;
    }
    expect(acknowledged).toBeGreaterThanOrEqual(20);
    writer.kill('SIGKILL');
    await once(writer, 'exit');
    const rows = await (await open()).learner.count();
    expect(rows).toBeGreaterThan(acknowledged);
  }, 30_000);
});

describe('a full disk', () => {
  it('is said as such, and costs nothing that was acknowledged', async () => {
    const database = await open();
    await new Learners(database).ensure('ann');
    const steps = new Steps(database);
    const { id } = await steps.begin(ref, start);
    await steps.predict(id, 'one', 5);
    // SQLite then answers as it does when the file system has no room: SQLITE_FULL.
    await database.$queryRawUnsafe('PRAGMA max_page_count = 1');
    const long = { ...verdict(false), hint: 'h'.repeat(200_000) };
    await expect(steps.attempt(id, long, 10)).rejects.toThrow(DiskFullError);
    expect((await steps.find(ref))!.progress).toMatchObject({ predicted: 'one', attempts: 0 });
    await database.$queryRawUnsafe('PRAGMA max_page_count = 1000000');
    await steps.attempt(id, long, 10);
    expect((await steps.find(ref))!.progress.attempts).toBe(1);
  });
});

describe('sessions', () => {
  it('are known by their secret, of which only a hash is stored', async () => {
    const learners = new Learners(await open());
    await learners.ensure('ann');
    const token = await learners.beginSession('ann');
    expect(await learners.ofSession(token)).toBe('ann');
    expect(await learners.ofSession(`${token.slice(0, -1)}_`)).toBeNull();
    await opened[0]!.$executeRawUnsafe('PRAGMA wal_checkpoint(TRUNCATE)');
    expect(readFileSync(join(directory, 'lab.db')).includes(token)).toBe(false);
  });
});

describe('steps', () => {
  it('keep what the learner did across a new beginning and a restart', async () => {
    const database = await open();
    await new Learners(database).ensure('ann');
    const steps = new Steps(database);
    expect(await steps.find(ref)).toBeNull();
    const { id } = await steps.begin(ref, start);
    expect(await steps.predict(id, 'one', 5)).toEqual({ option: 'one', madeAtMs: 5 });
    expect(await steps.predict(id, 'other', 6)).toEqual({ option: 'one', madeAtMs: 5 });
    await steps.observed(id, { en: '1', zh: '1' });
    await steps.hints(id, ['a', 'b']);
    await steps.solution(id);
    await steps.explain(id, 'x');
    await steps.firstVerdict(id, verdict(false));
    await steps.attempt(id, verdict(false), 10);
    await steps.attempt(id, verdict(true), 20);
    await steps.attempt(id, verdict(true), 30);
    await steps.begin(ref, { ...start, sandboxEpoch: 'e2' });
    await database.$disconnect();

    const again = new Steps(await open());
    expect(await again.find(ref)).toEqual({
      id,
      start: { ...start, sandboxEpoch: 'e2' },
      observed: { en: '1', zh: '1' },
      hasFirstVerdict: true,
      progress: {
        step: '1-trap',
        predicted: 'one',
        predictedAtMs: 5,
        hintsOpened: ['a', 'b'],
        solutionOpened: true,
        explained: 'x',
        attempts: 3,
        solvedAtMs: 20,
      },
    });
    expect(await again.solved('ann')).toEqual([{ track: 'B', lesson: 'pid', step: '1-trap' }]);
    expect(await again.ofLesson('bob', 'B', 'pid')).toEqual([]);
  });
});

describe('leases', () => {
  it('forget nobody', async () => {
    const database = await open();
    await new Learners(database).ensure('ann');
    const leases = new Leases(database);
    const lease = {
      learner: 'ann',
      sandbox: 'ann',
      lastSeenAtMs: 1,
      startedAtMs: 2,
      endsAtMs: 3,
      frozenAtMs: null,
      stoppedAtMs: null,
    };
    await leases.save(lease);
    expect(await leases.live()).toEqual([lease]);
    await leases.save({ ...lease, frozenAtMs: 4, stoppedAtMs: 5 });
    expect(await leases.live()).toEqual([]);
    expect(await leases.find('ann')).toEqual({ ...lease, frozenAtMs: 4, stoppedAtMs: 5 });
  });
});

describe('recordings', () => {
  const patch = (seq: number): Observation => ({
    kind: 'patch',
    seq,
    atMs: seq,
    upsert: [],
    exits: [],
    gone: [],
    events: [],
  });
  const chunk = (seq: number) => ({
    fromMs: seq,
    toMs: seq + 1,
    lines: [patch(seq), patch(seq + 1)].map((p) => JSON.stringify(p)),
  });

  it('come back in order, for the time asked', async () => {
    const database = await open();
    await new Learners(database).ensure('ann');
    const { id } = await new Steps(database).begin(ref, start);
    const recordings = new Recordings(database);
    for (const seq of [10, 20, 30]) await recordings.append(id, chunk(seq));
    expect((await recordings.read(id, 0, 100)).map(({ seq }) => seq)).toEqual([10, 11, 20, 21, 30, 31]);
    expect((await recordings.read(id, 15, 25)).map(({ seq }) => seq)).toEqual([20, 21]);
  });

  it('lose their oldest when a learner has too many in all steps together; another learner loses none', async () => {
    const database = await open();
    for (const learner of ['ann', 'ben']) await new Learners(database).ensure(learner);
    const steps = new Steps(database);
    const { id: first } = await steps.begin(ref, start);
    const { id: second } = await steps.begin({ ...ref, lesson: 'mnt', step: '2-other' }, start);
    const { id: bens } = await steps.begin({ ...ref, learner: 'ben' }, start);
    const one = new Recordings(database);
    for (const id of [bens, first]) await one.append(id, chunk(10));
    const { bytes } = await database.recording.findFirstOrThrow();
    const bounded = new Recordings(database, bytes * 2 + 4);
    for (const [id, seq] of [
      [first, 20],
      [second, 30],
      [second, 40],
    ] as const) {
      await bounded.append(id, chunk(seq));
      const { _sum } = await database.recording.aggregate({ where: { stepId: { not: bens } }, _sum: { bytes: true } });
      expect(_sum.bytes).toBeLessThanOrEqual(bytes * 2 + 4);
    }
    const kept = async (id: number) => (await bounded.read(id, 0, 100)).map(({ seq }) => seq);
    expect(await kept(first)).toEqual([]);
    expect(await kept(second)).toEqual([30, 31, 40, 41]);
    expect(await kept(bens)).toEqual([10, 11]);
  });
});
