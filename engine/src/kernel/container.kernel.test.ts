// A whole container through a launch plan: what it sees, what its output is, and that nothing is left of one that failed.
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readChunks } from '../model/output-chunks.ts';
import { NAMESPACE_TYPES } from '../model/namespace.ts';
import { busyboxRoot, pipedPlan, terminalPlan } from '../testing/container-plan.ts';
import { freshLaunch, keepersDirectory } from '../testing/launch.ts';
import { linux } from './linux.ts';

let keepers: string;
let root: ReturnType<typeof busyboxRoot>;
beforeAll(() => {
  freshLaunch();
  keepers = keepersDirectory();
  root = busyboxRoot();
});
afterEach(async () => {
  for (const name of readdirSync(keepers)) {
    const kept = await linux.recover(join(keepers, name)); // a test that failed in the middle
    await kept?.signal(9);
    await kept?.exit;
    kept?.dispose();
  }
  expect(readdirSync(keepers)).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(root.directory);
  expect(children()).toEqual([]);
});
afterAll(() => {
  rmSync(keepers, { recursive: true });
  root.remove();
});

/** Keepers of this process that still run. */
function children(): string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8')
    .split(' ')
    .filter((pid) => pid !== '' && readFileSync(`/proc/${pid}/comm`, 'utf8') === 'drydock-keeper\n');
}

async function output(
  plan: ReturnType<typeof pipedPlan>,
): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const { kept } = await linux.launch(plan, { directory: join(keepers, 'one') });
  const bytes = await buffer(kept.follow().stream);
  const { code } = await kept.exit;
  kept.dispose();
  const { chunks, used } = readChunks(bytes);
  expect(used).toBe(bytes.length);
  const of = (stream: string) =>
    Buffer.concat(chunks.filter((chunk) => chunk.stream === stream).map((chunk) => chunk.bytes)).toString();
  return { stdout: of('stdout'), stderr: of('stderr'), code };
}

test.each([
  ['root', false],
  ['a user namespace', true],
])('a container of %s is alone in eight namespaces', async (_, user) => {
  const { stdout, stderr, code } = await output(
    pipedPlan(root.directory, 'echo $$; hostname; id -u; ls /; ls -l /proc/self/ns; echo oops >&2; exit 3', user),
  );
  expect(stderr).toBe('oops\n');
  expect(code).toBe(3);
  const lines = stdout.split('\n');
  expect(lines.slice(0, 3)).toEqual(['1', 'box', '0']);
  for (const type of NAMESPACE_TYPES) {
    if (type === 'user' && !user) continue;
    expect(stdout).toContain(`${type}:[`);
    expect(stdout).not.toContain(readlinkSync(`/proc/self/ns/${type}`));
  }
});

test('a program finds no descriptor but its own three', async () => {
  const { stdout } = await output(pipedPlan(root.directory, 'ls /proc/self/fd'));
  expect(stdout.trim().split('\n')).toEqual(['0', '1', '2', '3']); // 3: ls reading the directory
});

test('a container inherits no ignored signal and no mask', async () => {
  const { stdout } = await output(pipedPlan(root.directory, 'exec cat /proc/self/status'));
  expect(stdout).toMatch(/^SigBlk:\t0000000000000000$/m);
  expect(stdout).toMatch(/^SigIgn:\t0000000000000000$/m);
});

test('input reaches the process, and its end too', async () => {
  const { kept } = await linux.launch(pipedPlan(root.directory, 'cat; echo end'), { directory: join(keepers, 'cat') });
  await kept.write(Buffer.from('hello '));
  await kept.write(Buffer.from('there\n'));
  await kept.endInput();
  const { chunks } = readChunks(await buffer(kept.follow().stream));
  expect(Buffer.concat(chunks.map(({ bytes }) => bytes)).toString()).toBe('hello there\nend\n');
  expect(await kept.exit).toEqual({ code: 0, signal: null });
  kept.dispose();
});

test('a terminal is the container’s own, and knows its size', async () => {
  const { kept } = await linux.launch(
    terminalPlan(root.directory, 'tty; stty size; read x; stty size; echo got $x', true),
    {
      directory: join(keepers, 'tty'),
    },
  );
  const { stream, offset } = kept.follow();
  expect(offset).toBe(0);
  let seen = '';
  const until = async (wanted: string) => {
    while (!seen.includes(wanted)) {
      const chunk = stream.read() as Buffer | null;
      if (chunk !== null) seen += chunk.toString();
      else await new Promise((resolve) => stream.once('readable', resolve));
    }
  };
  await until('80\r\n');
  expect(seen).toBe('/dev/pts/0\r\n24 80\r\n');
  await kept.resize(132, 43);
  await kept.write(Buffer.from('yes\r'));
  await until('got yes');
  expect(seen).toContain('43 132');
  expect(kept.size).toEqual({ cols: 132, rows: 43 });
  expect(await kept.exit).toEqual({ code: 0, signal: null });
  kept.dispose();
});

test('a signal sent through the keeper ends the process', async () => {
  const { kept } = await linux.launch(terminalPlan(root.directory, 'sleep 1000'), { directory: join(keepers, 'kill') });
  expect(kept.alive).toBe(true);
  expect(() => kept.dispose()).toThrow('it is running');
  await kept.signal(9);
  expect(await kept.exit).toEqual({ code: null, signal: 9 });
  kept.dispose();
});

test('an error injected at any step of a container leaves nothing', async () => {
  const plan = terminalPlan(root.directory, 'sleep 1000', true);
  const places = Object.entries(plan.blocks).flatMap(([block, steps]) => steps.map((_, index) => ({ block, index })));
  expect(places.length).toBeGreaterThan(30);
  for (const place of places) {
    const launching = linux.launch(plan, { directory: join(keepers, 'inject'), inject: [{ ...place, errno: 'EIO' }] });
    await expect(launching, JSON.stringify(place)).rejects.toMatchObject({ errno: 'EIO', step: place });
    expect(children()).toEqual([]);
    expect(readdirSync(keepers)).toEqual([]);
  }
});
