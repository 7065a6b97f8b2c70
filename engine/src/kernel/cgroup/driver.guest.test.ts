// Control groups on a v2 host, in the guest: controllers, limits, delegation and CLONE_INTO_CGROUP as most hosts have them.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { type JoinableGroup, cgroupInside } from '../../model/cgroup-path.ts';
import { GroupProcesses, printed, ready } from '../../testing/group-processes.ts';
import { parseCgroup } from '../proc/cgroup.ts';
import { detectCgroups } from './detect.ts';
import { createCgroupDriver } from './driver.ts';
import { reached } from './files.ts';
import type { SandboxGroup } from './sandbox-group.ts';

const OWNER = 1_000_000;
const host = detectCgroups();
const driver = createCgroupDriver(host, 'guest');
const processes = new GroupProcesses();
let sandbox: SandboxGroup;

beforeEach(async () => {
  sandbox = await driver.createSandbox('anna', { memoryBytes: 64 * 2 ** 20, cpus: 1, pids: 40 }, OWNER);
});
afterEach(async () => {
  await driver.collect([]);
  processes.end();
});
afterAll(() => driver.removeAll());

const run = (group: JoinableGroup, command: string, uid = 0) => processes.run(sandbox, group, command, uid);
const within = (condition: () => boolean) => reached(40_000, condition);
const at = (...names: string[]) => join('/sys/fs/cgroup/drydock-guest/anna', ...names);
const read = (...names: string[]) => readFileSync(at(...names), 'utf8').trim();

test('one tree; limits stand where they were planned', () => {
  expect(host).toEqual({ flavour: 'v2', hierarchies: [], unified: '/sys/fs/cgroup' });
  expect(read('inner/memory.max')).toBe(String(64 * 2 ** 20));
  expect(read('inner/cpu.max')).toBe('100000 100000');
  expect(read('inner/pids.max')).toBe('40');
  expect(read('pids.max')).toBe('104');
  expect(read('cgroup.max.descendants')).toBe('128');
  expect(read('cgroup.max.depth')).toBe('8');
  expect(read('inner/cgroup.controllers').split(' ')).toEqual(expect.arrayContaining(['cpu', 'io', 'memory', 'pids']));
  expect(sandbox.stats()).toMatchObject({ memoryLimitBytes: 64 * 2 ** 20, pidsLimit: 40, pids: 0, oomKills: 0 });
});

test('memory: who goes over the limit is killed, a watcher hears of it, and the keepers live', async () => {
  const keeper = run('keepers', 'echo up; exec sleep 1000');
  await ready(keeper);
  const heard: number[] = [];
  const stop = sandbox.watch(({ oomKills }) => heard.push(oomKills));
  const { signal } = await printed(run('inner/shell', 'exec tail /dev/zero'));
  expect(signal).toBe('SIGKILL');
  expect(await within(() => heard.includes(1))).toBe(true);
  stop();
  expect(sandbox.stats().oomKills).toBe(1);
  expect(sandbox.members('keepers')).toEqual([keeper.pid]);
});

test('pids: a fork bomb stops at the limit, the keepers can still fork, kill ends it all', async () => {
  const { text } = await printed(run('inner', 'while :; do sleep 1000 >&- 2>&- & done'));
  expect(text).toMatch(/fork/i);
  expect(sandbox.stats().pids).toBeLessThanOrEqual(40);
  expect((await printed(run('keepers', 'sleep 0 & wait; echo forked'))).text).toBe('forked\n');
  await sandbox.kill();
  expect(sandbox.members()).toEqual([]);
  expect(sandbox.events().populated).toBe(false);
});

test('cpu: two busy loops are throttled to one processor', async () => {
  run('inner', 'while :; do :; done & while :; do :; done');
  expect(await within(() => sandbox.stats().throttledPeriods > 2)).toBe(true);
  expect(sandbox.stats().cpuUsageUs).toBeGreaterThan(0);
});

test('freeze halts and is heard of, thaw lets go on; a frozen sandbox can be ended', async () => {
  const busy = run('inner', 'echo up; while :; do :; done');
  await ready(busy);
  const heard: boolean[] = [];
  const stop = sandbox.watch(({ frozen }) => heard.push(frozen));
  await sandbox.freeze();
  const used = sandbox.stats().cpuUsageUs;
  await sleep(250);
  // Running, the loop would get most of the 250 ms.
  expect(sandbox.stats().cpuUsageUs - used).toBeLessThan(10_000);
  expect(await within(() => heard.includes(true))).toBe(true);
  stop();
  await sandbox.thaw();
  expect(await within(() => sandbox.stats().cpuUsageUs > used + 10_000)).toBe(true);
  await sandbox.freeze();
  await sandbox.kill();
  expect(sandbox.members()).toEqual([]);
});

test('the learner divides inner: hands controllers down once it is empty, limits his groups, not himself', async () => {
  const script = `exec 2>&1
    echo +memory +pids > ${at('inner/cgroup.subtree_control')} && echo handed down
    mkdir ${at('inner/mine')} && echo 3000000 > ${at('inner/mine/memory.max')} && echo limited
    echo 0 > ${at('inner/mine/cgroup.procs')} && cat /proc/self/cgroup
    echo max > ${at('inner/memory.max')} || echo limit kept
    mkdir ${at('more')} || echo outer kept
    echo 0 > ${at('keepers/cgroup.procs')} || echo keepers kept
    echo 0 > /sys/fs/cgroup/cgroup.procs || echo root kept`;
  const { text } = await printed(run('inner/shell', script, OWNER));
  for (const line of ['handed down', 'limited', 'limit kept', 'outer kept', 'keepers kept', 'root kept'])
    expect(text.split('\n')).toContain(line);
  expect(cgroupInside(parseCgroup(Buffer.from(text)), 'guest', 'anna')).toBe('/mine');
});

test('the number and depth of a learner’s groups are bounded by the kernel', async () => {
  const wide = `cd ${at('inner')}; mkdir $(seq 200); ls -d [0-9]* | wc -l`;
  // 128 descendants, of which the engine made inner, inner/shell and keepers.
  expect((await printed(run('inner/shell', wide, OWNER))).text).toMatch(/Resource temporarily unavailable[^]*\n125\n$/);
  expect(await sandbox.trimGroups()).toMatchObject({ action: 'none' });
  await sandbox.remove();
  sandbox = await driver.createSandbox('anna', { memoryBytes: 64 * 2 ** 20, cpus: 1, pids: 40 }, OWNER);
  const deep = `cd ${at('inner')}; while mkdir d 2>/dev/null; do cd d; done; pwd`;
  expect((await printed(run('inner/shell', deep, OWNER))).text).toMatch(/inner(\/d){7}\n$/);
});

test('remove takes the learner’s groups along; a restarted daemon finds and collects', async () => {
  await ready(run('inner', `mkdir -p ${at('inner/a/b')}; echo up; exec sleep 1000`, OWNER));
  const again = createCgroupDriver(detectCgroups(), 'guest');
  expect(again.list()).toEqual(['anna']);
  expect(again.open('anna').members()).toHaveLength(1);
  expect(await again.collect([])).toEqual(['anna']);
  expect(existsSync(at())).toBe(false);
});

test('io: a device is bounded, one that is not there is named', () => {
  const device = readFileSync('/sys/block/vda/dev', 'utf8').trim();
  sandbox.limitIo([{ device, readBytesPerSecond: 1_000_000 }]);
  expect(read('io.max')).toBe(`${device} rbps=1000000 wbps=max riops=max wiops=max`);
  expect(() => sandbox.limitIo([{ device: '250:250', readBytesPerSecond: 1 }])).toThrow(/io\.max.*ENODEV/);
});
