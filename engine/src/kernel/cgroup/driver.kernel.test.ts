// Control groups on the machine's own hierarchies: v1 with the v2 tree beside it (hybrid), and the same without that tree
// (pure v1). A v2 host with controllers is tested in the guest (driver.guest.test.ts).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hierarchyOf, type CgroupHost } from '../../model/cgroup-host.ts';
import { type JoinableGroup, cgroupInside } from '../../model/cgroup-path.ts';
import { parseCgroup } from '../proc/cgroup.ts';
import { GroupProcesses, printed, ready } from '../../testing/group-processes.ts';
import { requires } from '../../testing/requires.ts';
import { detectCgroups } from './detect.ts';
import { createCgroupDriver } from './driver.ts';
import { reached } from './files.ts';
import type { SandboxGroup } from './sandbox-group.ts';

requires('root', 'cgroup', 'cgroup-v1', 'cgroup-v2');

const OWNER = 1_900_000_000 + (process.pid % 65_536);
const detected = detectCgroups();
const flavours: [string, CgroupHost][] = [
  ['hybrid', detected],
  ['v1', { ...detected, flavour: 'v1', unified: null }],
];

describe.each(flavours)('control groups on %s', (flavour, host) => {
  const instance = `test-${flavour}-${process.pid}`;
  const driver = createCgroupDriver(host, instance);
  const processes = new GroupProcesses();
  let sandbox: SandboxGroup;

  beforeEach(async () => {
    sandbox = await driver.createSandbox('anna', { memoryBytes: 64 * 2 ** 20, cpus: 0.1, pids: 40 }, OWNER);
  });
  afterEach(async () => {
    await driver.collect([]);
    processes.end();
  });
  afterAll(() => driver.removeAll());

  const run = (group: JoinableGroup, command: string, uid = 0) => processes.run(sandbox, group, command, uid);
  const within = (condition: () => boolean) => reached(20_000, condition);
  /** Directory of a group in the hierarchy of a controller. */
  const v1 = (controller: string, ...names: string[]) =>
    join(hierarchyOf(host, controller)?.mountPoint ?? '', `drydock-${instance}`, 'anna', ...names);

  test('a process that joined is in the group of every hierarchy, and reads as /shell inside', async () => {
    const { text } = await printed(run('inner/shell', 'cat /proc/self/cgroup'));
    const lines = parseCgroup(Buffer.from(text));
    const mine = lines.filter(({ path }) => path === `/drydock-${instance}/anna/inner/shell`);
    expect(mine.length).toBe(host.hierarchies.length + (host.unified === null ? 0 : 1));
    expect(cgroupInside(lines, instance, 'anna')).toBe('/shell');
    const keeper = await printed(run('keepers', 'cat /proc/self/cgroup'));
    expect(cgroupInside(parseCgroup(Buffer.from(keeper.text)), instance, 'anna')).toBeNull();
  });

  test('memory: who goes over the limit is killed, counted, and the keepers live', async () => {
    const keeper = run('keepers', 'echo up; exec sleep 1000');
    await ready(keeper);
    const { signal } = await printed(run('inner/shell', 'exec tail /dev/zero'));
    expect(signal).toBe('SIGKILL');
    expect(sandbox.stats().oomKills).toBe(1);
    expect(sandbox.stats().memoryLimitBytes).toBe(64 * 2 ** 20);
    expect(sandbox.members('keepers')).toEqual([keeper.pid]);
  });

  test('memory: a watcher hears of the kill', async () => {
    const heard: number[] = [];
    const stop = sandbox.watch(({ oomKills }) => heard.push(oomKills));
    await printed(run('inner', 'exec tail /dev/zero'));
    expect(await within(() => heard.includes(1))).toBe(true);
    stop();
  });

  test('pids: a fork bomb stops at the limit, and the keepers can still fork', async () => {
    const bomb = run('inner', 'while :; do sleep 1000 >&- 2>&- & done');
    const { text, code } = await printed(bomb);
    expect(text).toMatch(/fork/i);
    expect(code).not.toBe(0);
    expect(sandbox.stats().pids).toBeLessThanOrEqual(40);
    expect(sandbox.stats().pids).toBeGreaterThan(30);
    const { text: forked } = await printed(run('keepers', 'sleep 0 & wait; echo forked'));
    expect(forked).toBe('forked\n');
    await sandbox.kill();
    expect(sandbox.members()).toEqual([]);
    // A thread stays charged until its parent, here the machine's init, has reaped it.
    expect(await within(() => sandbox.stats().pids === 0)).toBe(true);
  });

  test('cpu: a busy loop is throttled', async () => {
    run('inner', 'while :; do :; done');
    expect(await within(() => sandbox.stats().throttledPeriods > 2)).toBe(true);
    expect(sandbox.stats().cpuUsageUs).toBeGreaterThan(0);
  });

  test('freeze halts, thaw lets go on; keepers are not halted', async () => {
    const busy = run('inner', 'echo up; while :; do :; done');
    const keeper = run('keepers', 'echo up; read line; echo heard $line');
    await Promise.all([ready(busy), ready(keeper)]);
    await sandbox.freeze();
    const used = sandbox.stats().cpuUsageUs;
    const answer = printed(keeper);
    keeper.stdin?.end('you\n');
    expect((await answer).text).toBe('heard you\n');
    // Two and a half periods: running, the loop would get 25 ms of them. Standing still takes some microseconds.
    await sleep(250);
    expect(sandbox.stats().cpuUsageUs - used).toBeLessThan(5000);
    await sandbox.thaw();
    expect(await within(() => sandbox.stats().cpuUsageUs > used)).toBe(true);
  });

  test('kill ends a frozen fork bomb, also one that froze a group of its own', async () => {
    // The learner's own: a v2 group, or without that tree a v1 one.
    const unified = host.unified === null ? null : join(host.unified, `drydock-${instance}`, 'anna/inner/own');
    const own = unified ?? v1('freezer', 'inner/own');
    const [file, frozen] = unified === null ? ['freezer.state', 'FROZEN'] : ['cgroup.freeze', '1'];
    const bomb = run(
      'inner/shell',
      `mkdir ${own}; sleep 1000 & echo $! > ${own}/cgroup.procs; echo ${frozen} > ${own}/${file}
      echo up; while :; do sleep 1000 & sleep 0.01; done`,
      OWNER,
    );
    await ready(bomb);
    expect(readFileSync(join(own, file), 'utf8')).toMatch(/^(FR.*|1)\n$/);
    await sandbox.freeze();
    await sandbox.kill();
    expect(sandbox.members()).toEqual([]);
    expect(await within(() => bomb.signalCode === 'SIGKILL' || bomb.exitCode !== null)).toBe(true);
  });

  test('inner is the learner’s to divide, its limits and the groups around it are not', async () => {
    const inner = v1('memory', 'inner');
    const { text } = await printed(
      run(
        'inner/shell',
        `mkdir ${inner}/mine && echo 0 > ${inner}/mine/cgroup.procs && grep memory: /proc/self/cgroup
        echo 1048576 > ${inner}/mine/memory.limit_in_bytes && echo limited
        exec 2>&1
        echo -1 > ${inner}/memory.limit_in_bytes || echo limit kept
        mkdir ${v1('memory', 'more')} || echo outer kept
        mkdir ${v1('devices', 'inner', 'more')} || echo devices kept
        echo 0 > ${v1('memory', 'keepers', 'tasks')} || echo keepers kept
        echo 0 > ${v1('memory', '..', '..', 'tasks')} || echo root kept`,
        OWNER,
      ),
    );
    expect(text).toContain('/inner/mine\n');
    for (const line of ['limited', 'limit kept', 'outer kept', 'devices kept', 'keepers kept', 'root kept'])
      expect(text.split('\n')).toContain(line);
    expect(existsSync(join(inner, 'mine'))).toBe(true);
  });

  test('devices: null opens, the kernel log does not, not even for root', async () => {
    const { text } = await printed(
      run('inner', 'echo x > /dev/null && echo null; exec 2>&1; : < /dev/kmsg || echo no'),
    );
    expect(text).toMatch(/^null\n(.*Operation not permitted\n)/);
  });

  test('too many groups: empty ones are removed, ones with processes end the learner’s processes', async () => {
    const inner = v1('memory', 'inner');
    await printed(run('inner', `seq -f ${inner}/a%g 1 300 | xargs mkdir`, OWNER));
    expect(await sandbox.trimGroups()).toMatchObject({ groups: 0, removed: 300, action: 'removed' });
    expect(await sandbox.trimGroups()).toEqual({ groups: 0, removed: 0, action: 'none' });
    expect(existsSync(join(inner, 'shell'))).toBe(true);
    // One process nested 130 deep: every group on the way has a child, so none of them can go while it lives.
    const deep = Array.from({ length: 130 }, (_, index) => `d${index}`).join('/');
    const nested = run(
      'inner',
      `mkdir -p ${inner}/${deep}; echo 0 > ${inner}/${deep}/tasks; echo up; exec sleep 99`,
      OWNER,
    );
    await ready(nested);
    expect(await sandbox.trimGroups()).toMatchObject({ groups: 0, action: 'killed' });
    expect(sandbox.members()).toEqual([]);
  });

  test('remove ends all, takes the learner’s own groups along and leaves nothing', async () => {
    const busy = run('inner', `mkdir -p ${v1('pids', 'inner')}/a/b/c; echo up; exec sleep 1000`, OWNER);
    const keeper = run('keepers', 'echo up; exec sleep 1000');
    await Promise.all([ready(busy), ready(keeper)]);
    await sandbox.remove();
    await sandbox.remove();
    const find = ['/sys/fs/cgroup', '-maxdepth', '3', '-type', 'd', '-path', `*/drydock-${instance}/*`];
    expect(execFileSync('find', find, { encoding: 'utf8' })).toBe('');
    expect(await within(() => keeper.signalCode === 'SIGKILL')).toBe(true);
  });

  test('a restarted daemon finds its sandboxes, and collects those nobody wants', async () => {
    await ready(run('inner', 'echo up; exec sleep 1000'));
    await driver.createSandbox('dead', { memoryBytes: 64 * 2 ** 20, cpus: 1, pids: 40 }, OWNER);
    const again = createCgroupDriver(host, instance);
    expect(again.list()).toEqual(['anna', 'dead']);
    expect(again.open('anna').members()).toEqual(sandbox.members());
    expect(await again.collect(['anna'])).toEqual(['dead']);
    expect(again.list()).toEqual(['anna']);
    expect(() => again.open('dead')).toThrow('Cannot open the control groups of "dead": there are none');
    expect(again.open('anna').members()).toHaveLength(1);
  });

  test('what a crash left half made is collected', async () => {
    await sandbox.remove();
    mkdirSync(v1('memory', 'inner'), { recursive: true });
    expect(driver.list()).toEqual(['anna']);
    expect(await driver.collect([])).toEqual(['anna']);
    expect(existsSync(v1('memory'))).toBe(false);
  });

  test('refuses a second sandbox of a name, a name that is a path, and limits the kernel does not take', async () => {
    const limits = { memoryBytes: 64 * 2 ** 20, cpus: 1, pids: 40 };
    await expect(driver.createSandbox('anna', limits, OWNER)).rejects.toThrow('control groups for "anna": they exist');
    await expect(driver.createSandbox('../x', limits, OWNER)).rejects.toThrow('use a-z, 0-9 and -');
    await expect(driver.createSandbox('bad', { ...limits, pids: -5 }, OWNER)).rejects.toThrow(
      /Cannot write .*pids.max.*EINVAL/,
    );
    expect(driver.list()).toEqual(['anna']);
  });

  test('io: a device is bounded, one that is not there is named', () => {
    const device = execFileSync('sh', ['-c', 'cat /sys/block/*/dev'], { encoding: 'utf8' }).split('\n')[0] ?? '';
    sandbox.limitIo([{ device, readBytesPerSecond: 1_000_000 }]);
    const file = join(v1('blkio'), 'blkio.throttle.read_bps_device');
    expect(readFileSync(file, 'utf8')).toBe(`${device} 1000000\n`);
    expect(() => sandbox.limitIo([{ device: '250:250', readBytesPerSecond: 1 }])).toThrow(
      /blkio.*ENODEV.*no such device/,
    );
  });
});
