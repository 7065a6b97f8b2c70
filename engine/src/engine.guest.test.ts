// A whole sandbox on a v2 host, in the guest: the engine's own daemon code, with the guest's disk as the learner's image.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecResult, Sandbox, Stats } from './api/lab/schemas.ts';
import { type Engine, startEngine } from './engine.ts';
import { instanceOf } from './instance.ts';

const instance = instanceOf({ DRYDOCK_ROOT: '/tmp/drydock', DRYDOCK_RUN: '/run/drydock' });
const group = `/sys/fs/cgroup/drydock-${instance.id}/anna`;
let engine: Engine;

beforeAll(async () => {
  // The disk itself: the root it is seen through is an overlay, and overlays can't be idmapped.
  mkdirSync('/mnt/image', { recursive: true });
  execFileSync('mount', ['-t', 'ext4', '-o', 'ro', '/dev/vda', '/mnt/image']);
  mkdirSync(`${instance.root}/images`, { recursive: true });
  writeFileSync(`${instance.root}/images/learner.json`, JSON.stringify({ rootfs: '/mnt/image' }));
  engine = await startEngine(instance, pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true })));
});
afterAll(() => engine.tearDown());

function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  return new Promise((resolve, reject) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const asked = request({ socketPath: instance.labSocket, method, path, headers, agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => {
        const text = Buffer.concat(parts).toString();
        if ((answer.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
        else resolve((text === '' ? null : JSON.parse(text)) as T);
      });
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
const run = (script: string) =>
  call<ExecResult>('POST', '/lab/sandboxes/anna/exec', { argv: ['/bin/sh', '-c', script], timeoutMs: 60_000 });

test('a sandbox starts, bounded by v2', async () => {
  const sandbox = await call<Sandbox>('POST', '/lab/sandboxes', {
    id: 'anna',
    limits: { memoryBytes: 96 * 2 ** 20, diskBytes: 64 * 2 ** 20, pids: 64 },
  });
  expect(sandbox).toMatchObject({ state: 'running', cgroup: 'v2' });
  const { stdout } = await run('id -u; hostname; cat /proc/self/uid_map');
  expect(stdout).toMatch(/^0\ndock\n +0 +0 +65536\n$/);
  expect(readFileSync(`${group}/inner/memory.max`, 'utf8')).toBe(`${96 * 2 ** 20}\n`);
});

test('inside, /sys/fs/cgroup is v2 and the learner divides it', async () => {
  const { stdout, stderr } = await run(
    `cd /sys/fs/cgroup; cat /proc/self/cgroup cgroup.controllers
    echo +memory > cgroup.subtree_control && mkdir small && echo 8000000 > small/memory.max && cat small/memory.max
    echo max > memory.max || echo kept`,
  );
  expect(stderr).toMatch(/Permission denied|Operation not permitted/);
  expect(stdout).toMatch(/^0::\/shell\n.*memory.*\n7999488\nkept\n$/);
});

test('who fills the memory is killed, and the sandbox goes on', async () => {
  const { stdout } = await run('x=0123456789; (while :; do x=$x$x; done); echo after $?');
  expect(stdout).toBe('after 137\n');
  expect(await call<Stats>('GET', '/lab/sandboxes/anna/stats')).toMatchObject({ oomKills: 1, pidsLimit: 64 });
});

test('frozen, thawed, removed: nothing is left', async () => {
  expect(await call<Sandbox>('POST', '/lab/sandboxes/anna/freeze')).toMatchObject({ state: 'frozen' });
  expect(readFileSync(`${group}/inner/cgroup.events`, 'utf8')).toMatch(/frozen 1/);
  expect(await call<Sandbox>('POST', '/lab/sandboxes/anna/thaw')).toMatchObject({ state: 'running' });
  await call('DELETE', '/lab/sandboxes/anna');
  expect(existsSync(group)).toBe(false);
});
