// What a keeper must never lose: output behind slow readers, and everything when the daemon that launched it is killed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buffer, text as textOf } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { busyboxRoot, pipedPlan, terminalPlan } from '../testing/container-plan.ts';
import { freshLaunch, keepersDirectory } from '../testing/launch.ts';
import type { Kept } from './kernel.ts';
import { linux } from './linux.ts';

let keepers: string;
let root: ReturnType<typeof busyboxRoot>;
const opened: Kept[] = [];
/** The file /large of the container. */
const total = 100_000_000;
let largeHash: string;
beforeAll(() => {
  freshLaunch();
  keepers = keepersDirectory();
  root = busyboxRoot();
  const line = 'The quick brown fox jumps over the lazy dog. 0123456789 0123456789 0123456789\n';
  const large = Buffer.from(line.repeat(Math.ceil(total / line.length)).slice(0, total));
  largeHash = createHash('sha256').update(large).digest('hex');
  writeFileSync(join(root.directory, 'rootfs/large'), large);
});
afterEach(async () => {
  for (const kept of opened.splice(0)) {
    await kept.signal(9);
    await kept.exit;
    kept.dispose();
  }
  expect(readdirSync(keepers)).toEqual([]);
});
afterAll(() => {
  rmSync(keepers, { recursive: true });
  root.remove();
});

async function launch(
  plan: ReturnType<typeof terminalPlan>,
  options: { ringBytes?: number; limitBytes?: number } = {},
) {
  const { kept } = await linux.launch(plan, { directory: join(keepers, `k${opened.length}`), ...options });
  opened.push(kept);
  return kept;
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const residentKb = (pid: number) =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

test('100 MB through a terminal, read slowly by one and at once by another, arrive whole', async () => {
  // Raw, and only once both follow: `read` waits for the key.
  const kept = await launch(terminalPlan(root.directory, 'stty raw -echo; echo -n ready; read x; cat /large'));
  while (kept.written < 'ready'.length) await pause(2); // or the terminal would echo the key
  let longest = 0;
  let resident = 0;
  const read = async (slow: boolean) => {
    const { stream } = kept.follow('ready'.length);
    const hash = createHash('sha256');
    let count = 0;
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      const before = count;
      count += chunk.length;
      longest = Math.max(longest, stream.readableLength);
      if (!slow || Math.floor(before / 4e6) === Math.floor(count / 4e6)) continue;
      await pause(20); // 25 times; the writer is far quicker
      if (kept.alive) resident = Math.max(resident, residentKb(kept.keeperPid));
    }
    return [count, hash.digest('hex')];
  };
  const readers = Promise.all([read(true), read(false)]);
  await kept.write(Buffer.from('\n'));
  expect(await readers).toEqual([
    [total, largeHash],
    [total, largeHash],
  ]);
  expect(kept.written).toBe('ready'.length + total);
  expect(longest).toBeLessThanOrEqual(2 * 65_536);
  expect(resident).toBeGreaterThan(0);
  expect(resident).toBeLessThan(4 * 1024); // its ring of 2 MiB and itself
});

test('without a reader a terminal runs on, and keeps its latest output', async () => {
  const ringBytes = 2 ** 18;
  const kept = await launch(terminalPlan(root.directory, 'stty raw; head -c 4000000 /large; echo -n THE END'), {
    ringBytes,
  });
  expect(await kept.exit).toEqual({ code: 0, signal: null });
  expect(kept.written).toBe(4_000_007);
  const { offset, stream } = kept.follow(0);
  const bytes = await buffer(stream);
  expect(offset + bytes.length).toBe(kept.written);
  expect(bytes.length).toBeGreaterThan(ringBytes / 2);
  const large = readFileSync(join(root.directory, 'rootfs/large')).subarray(offset, 4_000_000);
  expect(bytes.equals(Buffer.concat([large, Buffer.from('THE END')]))).toBe(true);
  expect(statSync(join(kept.directory, 'output')).size).toBe(ringBytes);
});

test('a follower can begin anywhere and leave; others are not held by it', async () => {
  const kept = await launch(
    terminalPlan(root.directory, 'stty raw -echo; echo -n 0123456789; read x; head -c 3000000 /large'),
    { ringBytes: 2 ** 20 },
  );
  while (kept.written < 10) await pause(2);
  const idle = kept.follow(); // never read: it would hold the terminal at half a ring
  const first = kept.follow(4);
  expect([first.offset, String(await once(first.stream, 'data'))]).toEqual([4, '456789']);
  first.stream.destroy();
  await kept.write(Buffer.from('\n'));
  while (kept.written < 2 ** 19) await pause(5);
  expect(kept.alive).toBe(true);
  idle.stream.destroy();
  expect(await kept.exit).toEqual({ code: 0, signal: null });
  expect(kept.written).toBe(3_000_010);
});

test('a limit of the output holds a process until it is ended', async () => {
  const kept = await launch(pipedPlan(root.directory, 'yes'), { limitBytes: 100_000 });
  while (kept.written < 100_000) await pause(5);
  await pause(50);
  expect(kept.written).toBeLessThan(100_000 + 2 * 65_536);
  await kept.signal(9);
  expect((await kept.exit).signal).toBe(9);
});

test('a daemon killed with SIGKILL loses no shell, no output and no exit status', async () => {
  const directory = join(keepers, 'orphan');
  const script = 'stty -echo; echo before; read x; echo after $x; exit 42';
  const daemon = spawn(
    process.execPath,
    ['--import', 'tsx', join(import.meta.dirname, '../testing/launching-daemon.ts'), directory, root.directory, script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(daemon.stdout, 'data');
  daemon.kill('SIGKILL');
  await once(daemon, 'exit');

  const kept = await linux.recover(directory);
  if (!kept) throw new Error('the keeper was lost');
  opened.push(kept);
  expect(kept.alive).toBe(true);
  expect(residentKb(kept.pid)).toBeGreaterThan(0);
  while (kept.written < 'before\r\n'.length) await pause(2); // from here on it does not echo
  await kept.write(Buffer.from('all\n'));
  expect(await textOf(kept.follow(0).stream)).toBe('before\r\nafter all\r\n');
  expect(await kept.exit).toEqual({ code: 42, signal: null });

  // And once more by a daemon that comes when all is over.
  const late = await linux.recover(directory);
  expect(late?.alive).toBe(false);
  expect(await late?.exit).toEqual({ code: 42, signal: null });
  expect(await textOf((late ?? kept).follow(8).stream)).toBe('after all\r\n');
  late?.release();
});

test('a handle that is let go leaves the process running, to be found again', async () => {
  const first = await launch(terminalPlan(root.directory, 'read x; exit 9'));
  opened.pop();
  first.release();
  expect(await Promise.race([first.exit, pause(30)])).toBeUndefined();
  expect(() => first.follow()).toThrow('let go');
  const again = await linux.recover(first.directory);
  if (!again) throw new Error('the keeper was lost');
  opened.push(again);
  expect(again.alive).toBe(true);
  await again.write(Buffer.from('\n'));
  expect(await again.exit).toEqual({ code: 9, signal: null });
  expect(existsSync(`/proc/${again.keeperPid}`)).toBe(false); // reaped
});

test('a keeper that was killed is known to be gone; its process is still there to be ended', async () => {
  const kept = await launch(terminalPlan(root.directory, 'sleep 1000'));
  const { pid } = kept;
  process.kill(kept.keeperPid, 'SIGKILL');
  expect(await kept.exit).toEqual({ code: null, signal: null });
  expect(kept.alive).toBe(false);
  await expect(kept.write(Buffer.from('x'))).rejects.toThrow('it has ended');
  process.kill(pid, 'SIGKILL'); // a hang-up ends it too, once the master is closed; whichever is first
});

test('a daemon killed in the middle of a launch leaves a directory that says so', async () => {
  const kept = await launch(terminalPlan(root.directory, 'exit 0'));
  await kept.exit;
  const path = join(kept.directory, 'record');
  const record = readFileSync(path);
  const withState = (state: number) => {
    const bytes = Buffer.from(record);
    bytes.writeUInt32LE(state, 8);
    return bytes;
  };
  for (const torn of [withState(0), withState(3), record.subarray(0, 10)]) {
    writeFileSync(path, torn);
    expect(await linux.recover(kept.directory)).toBeNull();
  }
  writeFileSync(path, Buffer.alloc(record.length, 0xff));
  await expect(linux.recover(kept.directory)).rejects.toThrow('not written by this version');
  writeFileSync(path, record);
  rmSync(join(kept.directory, 'input'));
  expect(await linux.recover(kept.directory)).toBeNull();
});
