// A container's log as its keepers write it, run after run: what is kept, what is given back, who waits for whom.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { BLOCK_BYTES, type OutputChunk, readChunks } from '../model/output-chunks.ts';
import { busyboxRoot, pipedPlan, terminalPlan } from '../testing/container-plan.ts';
import { freshLaunch, keepersDirectory } from '../testing/launch.ts';
import type { Kept, LaunchOptions } from './kernel.ts';
import { linux } from './linux.ts';

let keepers: string;
let log: string;
let root: ReturnType<typeof busyboxRoot>;
const opened: Kept[] = [];
const total = 20_000_000;
let large: Buffer;
beforeAll(() => {
  freshLaunch();
  keepers = keepersDirectory();
  log = join(keepers, 'log');
  root = busyboxRoot();
  const lines = Array.from({ length: 1_000_000 }, (_, at) => `line ${at} of a log\n`).join('');
  large = Buffer.from(lines).subarray(0, total);
  writeFileSync(join(root.directory, 'rootfs/large'), large);
});
afterEach(async () => {
  for (const kept of opened.splice(0)) {
    await kept.signal(9);
    await kept.exit;
    kept.dispose();
  }
  rmSync(log, { force: true });
});
afterAll(() => {
  rmSync(keepers, { recursive: true });
  root.remove();
});

async function run(script: string, options: Partial<LaunchOptions> = {}, plan = pipedPlan): Promise<Kept> {
  const directory = join(keepers, `k${opened.length}`);
  const { kept } = await linux.launch(plan(root.directory, script), { directory, outputPath: log, ...options });
  opened.push(kept);
  return kept;
}

/** Every piece a follower is given must be whole chunks. */
function decode(piece: Buffer): OutputChunk[] {
  const { chunks, used } = readChunks(piece);
  if (used !== piece.length) throw new Error(`${piece.length - used} bytes of ${piece.length} are no chunk`);
  return chunks;
}
async function chunksOf(stream: Readable): Promise<OutputChunk[]> {
  const chunks: OutputChunk[] = [];
  for await (const piece of stream as AsyncIterable<Buffer>) chunks.push(...decode(piece));
  return chunks;
}
const textOf = (chunks: OutputChunk[]) => Buffer.concat(chunks.map(({ bytes }) => bytes)).toString();
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const diskBytes = (path: string) => statSync(path).blocks * 512;

test('a run goes on where the last one ended, and is followed from its own beginning', async () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const first = await run('echo one; echo oops >&2');
  await first.exit;
  expect(first.begin).toBe(0);
  const second = await run('echo two');
  await second.exit;
  expect(second.begin).toBe(first.written);
  expect(textOf(await chunksOf(second.follow().stream))).toBe('two\n');
  const all = await chunksOf(second.follow(0).stream);
  expect(all.map(({ stream, bytes }) => [stream, Buffer.from(bytes).toString()])).toEqual([
    ['begin', ''],
    ['stdout', 'one\n'],
    ['stderr', 'oops\n'],
    ['begin', ''],
    ['stdout', 'two\n'],
  ]);
  for (const { atNs } of all) expect(atNs).toBeGreaterThanOrEqual(before);
});

test('a terminal’s output is appended to a log too', async () => {
  const kept = await run('stty size; echo err >&2', {}, terminalPlan);
  expect(kept.form).toBe('chunks');
  const chunks = await chunksOf(kept.follow().stream);
  expect(textOf(chunks)).toBe('24 80\r\nerr\r\n');
  expect(new Set(chunks.map(({ stream }) => stream))).toEqual(new Set(['begin', 'stdout']));
});

test('everything is kept without a bound, each line with its bytes, over many blocks', async () => {
  const kept = await run('cat /large; cat /large >&2');
  const chunks = await chunksOf(kept.follow().stream);
  for (const name of ['stdout', 'stderr']) {
    const bytes = Buffer.concat(chunks.filter(({ stream }) => stream === name).map((chunk) => chunk.bytes));
    expect(bytes.equals(large)).toBe(true);
  }
  // Any block can be read by itself.
  const file = readFileSync(log);
  for (let at = 0; at + BLOCK_BYTES <= file.length; at += 7 * BLOCK_BYTES)
    expect(decode(file.subarray(at, at + BLOCK_BYTES)).length).toBeGreaterThan(0);
});

test('a small write that is alone in the pipe stays whole, also at the end of a block', async () => {
  const kept = await run('while read x; do head -c 4096 /large; done');
  const { stream } = kept.follow();
  const chunks: OutputChunk[] = [];
  stream.on('data', (piece: Buffer) => chunks.push(...decode(piece).filter((chunk) => chunk.stream === 'stdout')));
  for (let count = 0; count < 40; count++) {
    await kept.write(Buffer.from('\n'));
    while (chunks.length <= count) await pause(1);
  }
  expect(kept.written).toBeGreaterThan(2 * BLOCK_BYTES);
  expect(new Set(chunks.map(({ bytes }) => bytes.length))).toEqual(new Set([4096]));
});

test.each([1_000, 300_000, 2 ** 20])(
  'of a bounded log at most %i bytes and a block stay on disk',
  async (keepBytes) => {
    const kept = await run('cat /large', { keepBytes });
    await kept.exit;
    expect(kept.written).toBeGreaterThan(total);
    expect(kept.keptFrom % BLOCK_BYTES).toBe(0);
    expect(kept.written - kept.keptFrom).toBeLessThanOrEqual(Math.max(keepBytes, BLOCK_BYTES));
    expect(diskBytes(log)).toBeLessThanOrEqual(keepBytes + BLOCK_BYTES);
    const { offset, stream } = kept.follow(0);
    expect(offset).toBe(kept.keptFrom);
    const text = textOf(await chunksOf(stream));
    expect(text.length).toBeGreaterThan(Math.min(keepBytes, BLOCK_BYTES) / 2);
    expect(large.subarray(total - text.length).toString()).toBe(text);

    // The next run knows what is kept without being told.
    const next = await run('echo next', { keepBytes });
    await next.exit;
    expect(next.keptFrom).toBeGreaterThanOrEqual(offset);
    expect(textOf(await chunksOf(next.follow(0).stream))).toMatch(/next\n$/);
  },
);

test.each([1_000, 300_000])(
  'who follows a log of %i bytes slowly misses nothing: the process waits',
  async (keepBytes) => {
    const kept = await run('read x; cat /large', { keepBytes });
    const { stream } = kept.follow();
    await kept.write(Buffer.from('\n'));
    const hash = createHash('sha256');
    let count = 0;
    for await (const piece of stream as AsyncIterable<Buffer>) {
      const before = count;
      for (const { bytes } of decode(piece)) {
        hash.update(bytes);
        count += bytes.length;
      }
      if (Math.floor(before / 4e6) !== Math.floor(count / 4e6)) await pause(10);
      if (kept.alive) expect(kept.written - kept.keptFrom).toBeLessThanOrEqual(keepBytes + 3 * BLOCK_BYTES);
    }
    expect([count, hash.digest('hex')]).toEqual([total, createHash('sha256').update(large).digest('hex')]);
  },
);

test.each([
  ['a bounded log', pipedPlan, { keepBytes: 100_000 }],
  ['a ring', terminalPlan, { ringBytes: 2 ** 18 }],
])('who follows %s at once misses nothing of a process that writes at once', async (_, plan, bound) => {
  const directory = join(keepers, 'flood');
  const script = plan === terminalPlan ? 'stty raw; cat /large' : 'cat /large';
  const { kept } = await linux.launch(plan(root.directory, script), { directory, ...bound });
  opened.push(kept);
  const { stream, offset } = kept.follow();
  expect(offset).toBe(kept.begin);
  let count = 0;
  for await (const piece of stream as AsyncIterable<Buffer>)
    count += kept.form === 'raw' ? piece.length : decode(piece).reduce((sum, { bytes }) => sum + bytes.length, 0);
  expect(count).toBe(total);
});

test('who does not hold a bounded log misses what was given back, and nobody waits', async () => {
  const kept = await run('read x; cat /large', { keepBytes: 300_000 });
  const { stream } = kept.follow(0, { holds: false });
  await kept.write(Buffer.from('\n'));
  await kept.exit; // not one byte was read so far
  const text = textOf(await chunksOf(stream));
  expect(text.length).toBeGreaterThan(200_000);
  expect(text.length).toBeLessThan(600_000);
  expect(large.subarray(total - 100_000).toString()).toBe(text.slice(-100_000));
});

test('who reads nothing for too long holds a bounded log no longer, and goes on with what is kept', async () => {
  const kept = await run('cat /large', { keepBytes: 300_000 });
  const deaf = kept.follow(undefined, { patienceMs: 50 });
  const patient = kept.follow();
  patient.stream.destroy();
  expect(await kept.exit).toEqual({ code: 0, signal: null });
  const text = textOf(await chunksOf(deaf.stream));
  expect(text.length).toBeLessThan(1_000_000);
  expect(large.subarray(total - 100_000).toString()).toBe(text.slice(-100_000));
});

test('a limit that a dead daemon’s follower left is lifted by the next', async () => {
  const kept = await run('cat /large', { keepBytes: 300_000 });
  kept.follow(); // reads nothing
  while (kept.written < 150_000) await pause(5);
  opened.pop();
  kept.release();
  const again = await linux.recover(kept.directory, log);
  if (!again) throw new Error('the keeper was lost');
  opened.push(again);
  expect(await again.exit).toEqual({ code: 0, signal: null });
  expect(again.written).toBeGreaterThan(total);
});

test('what a crash of the machine tore off is written over', async () => {
  await (
    await run('cat /large')
  ).exit;
  const { size } = statSync(log);
  truncateSync(log, size - 100);
  const next = await run('echo next');
  await next.exit;
  expect(next.begin).toBeLessThan(size - 100);
  const text = textOf(await chunksOf(next.follow(0).stream));
  expect(text.slice(-5)).toBe('next\n');
  expect(large.toString().startsWith(text.slice(0, -5))).toBe(true);
  expect(text.length).toBeGreaterThan(total - 2 * BLOCK_BYTES);
});

test('who still reads when all is disposed of gets the rest', async () => {
  const kept = await run('cat /large');
  const { stream } = kept.follow();
  await kept.exit;
  opened.pop();
  kept.dispose();
  rmSync(log);
  expect(textOf(await chunksOf(stream)).length).toBe(total);
  expect(() => kept.follow()).toThrow('let go');
});
