// Control groups of containers on the machine's own hierarchies: hybrid, and the same without the v2 tree (pure v1). A v2
// host with controllers is tested in the guest (container-groups.guest.test.ts).
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type CgroupHost, hierarchyOf } from '../../model/cgroup-host.ts';
import { ALL_DEVICES, DOCKER_DEVICES, parseDeviceRule } from '../../model/default-devices.ts';
import type { OciResources } from '../../model/oci-spec.ts';
import { GroupProcesses, printed, ready } from '../../testing/group-processes.ts';
import { requires } from '../../testing/requires.ts';
import { attachLoop } from '../loop.ts';
import { parseCgroup } from '../proc/cgroup.ts';
import type { ContainerGroup } from './container-group.ts';
import { createContainerGroups } from './container-groups.ts';
import { detectCgroups } from './detect.ts';
import { reached } from './files.ts';
import { removeBelow } from './remove-below.ts';

requires('root', 'cgroup', 'cgroup-v1', 'cgroup-v2');

const MIB = 2 ** 20;
const detected = detectCgroups();
const flavours: [string, CgroupHost][] = [
  ['hybrid', detected],
  ['v1', { ...detected, flavour: 'v1', unified: null }],
];

const deviceNumbers = (path: string) => {
  const [major = 0, minor = 0] = readFileSync(`/sys/class/block/${basename(path)}/dev`, 'utf8')
    .split(':')
    .map(Number);
  return [major, minor] as const;
};

describe.each(flavours)('container groups on %s', (flavour, host) => {
  const instance = `ctest-${flavour}-${process.pid}`;
  const top = `drydock-${instance}-containers`;
  const groups = createContainerGroups(host, instance);
  const processes = new GroupProcesses();
  const made: ContainerGroup[] = [];
  const mounts = [...host.hierarchies.map(({ mountPoint }) => mountPoint), ...(host.unified ? [host.unified] : [])];

  const create = (resources: OciResources, id = 'anna', parent: string | null = null) => {
    const group = groups.create(id, resources, parent);
    made.push(group);
    return group;
  };
  const run = (group: ContainerGroup, command: string) => processes.runIn(group.joinFiles(), command);
  const within = (condition: () => boolean) => reached(20_000, condition);
  const directory = (controller: string, ...names: string[]) =>
    join(hierarchyOf(host, controller)?.mountPoint ?? '', top, ...names);
  const file = (controller: string, name: string) => readFileSync(directory(controller, 'anna', name), 'utf8').trim();

  beforeEach(() => expect(groups.list()).toEqual([]));
  afterEach(async () => {
    for (const group of made.splice(0)) await group.remove();
    processes.end();
  });
  afterAll(() => groups.removeAll());

  test('a process that joined is in the container’s groups, in those hierarchies and in no other', async () => {
    const group = create({});
    const { text } = await printed(run(group, 'cat /proc/self/cgroup'));
    const inside = parseCgroup(Buffer.from(text))
      .filter(({ path }) => path === group.path)
      .map(({ controllers }) => controllers.join());
    const always = ['blkio', 'cpu', 'cpuacct', 'cpuset', 'memory', 'pids'];
    expect(inside.sort()).toEqual((flavour === 'v1' ? ['freezer', 'name=systemd', ...always] : ['', ...always]).sort());
    expect(group.path).toBe(`/${top}/anna`);
    expect(group.joinFiles()).toHaveLength(inside.length);
    expect(group.hierarchies().map(({ controllers }) => controllers.join())).toEqual(
      expect.arrayContaining(inside.filter((controllers) => controllers !== '')),
    );
    if (host.unified) expect(group.cgroupDirectory()).toBe(join(host.unified, group.path));
    else expect(group.cgroupDirectory()).toBeNull();
  });

  test('a keeper is beside the container, not inside', async () => {
    const group = create({});
    const keeper = processes.runIn(group.keeperJoinFiles(), 'echo up; cat /proc/self/cgroup; exec sleep 1000');
    await ready(keeper);
    expect(group.members()).toEqual([]);
    const lines = parseCgroup(readFileSync(`/proc/${keeper.pid}/cgroup`));
    expect(lines.find(({ controllers }) => controllers.includes('memory'))?.path).toBe(`/${top}/.keepers`);
    expect(lines.some(({ path }) => path === group.path)).toBe(false);
    await group.remove();
    expect(keeper.exitCode).toBeNull();
  });

  test('limits stand where they were planned', () => {
    create({
      memory: { limit: 64 * MIB, swap: 96 * MIB, reservation: 32 * MIB },
      cpu: { shares: 512, quota: 50_000, period: 50_000, cpus: '0' },
      pids: { limit: 20 },
    });
    expect(file('memory', 'memory.limit_in_bytes')).toBe(String(64 * MIB));
    expect(file('memory', 'memory.memsw.limit_in_bytes')).toBe(String(96 * MIB));
    expect(file('memory', 'memory.soft_limit_in_bytes')).toBe(String(32 * MIB));
    expect(file('cpu', 'cpu.shares')).toBe('512');
    expect(file('cpu', 'cpu.cfs_quota_us')).toBe('50000');
    expect(file('cpu', 'cpu.cfs_period_us')).toBe('50000');
    expect(file('cpuset', 'cpuset.cpus')).toBe('0');
    expect(file('cpuset', 'cpuset.mems')).not.toBe('');
    expect(file('pids', 'pids.max')).toBe('20');
  });

  test('memory: who goes over the limit is killed, counted and heard of', async () => {
    const group = create({ memory: { limit: 32 * MIB } });
    const heard: number[] = [];
    const stop = group.onOom((kills) => heard.push(kills));
    const { signal } = await printed(run(group, 'exec tail /dev/zero'));
    expect(signal).toBe('SIGKILL');
    expect(group.oomKills).toBe(1);
    expect(group.stats().memory).toMatchObject({ oomKills: 1, limitBytes: 32 * MIB });
    expect(group.stats().memory.failcnt).toBeGreaterThan(0);
    expect(group.stats().memory.maxUsageBytes).toBeGreaterThan(16 * MIB);
    expect(await within(() => heard.includes(1))).toBe(true);
    stop();
  });

  test('pids: a fork bomb stops at the limit; kill ends it', async () => {
    const group = create({ pids: { limit: 20 } });
    const { text } = await printed(run(group, 'while :; do sleep 1000 >&- 2>&- & done'));
    expect(text).toMatch(/fork/i);
    const { pids } = group.stats();
    expect(pids.limit).toBe(20);
    expect(pids.current).toBeGreaterThan(10);
    expect(pids.current).toBeLessThanOrEqual(20);
    await group.kill();
    expect(group.members()).toEqual([]);
  });

  test('cpu: a busy loop is throttled', async () => {
    const group = create({ cpu: { quota: 10_000, period: 100_000 } });
    run(group, 'while :; do :; done');
    expect(await within(() => group.stats().cpu.throttledPeriods > 2)).toBe(true);
    const { cpu } = group.stats();
    expect(cpu.periods).toBeGreaterThanOrEqual(cpu.throttledPeriods);
    expect(cpu.throttledNs).toBeGreaterThan(0);
    expect(cpu.usageNs).toBeGreaterThan(0);
    expect(cpu.perCpuNs?.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(0);
  });

  test('freeze halts, thaw lets go on, a frozen container can be ended', async () => {
    const group = create({});
    await ready(run(group, 'echo up; while :; do :; done'));
    expect(group.frozen).toBe(false);
    await group.freeze();
    expect(group.frozen).toBe(true);
    const used = group.stats().cpu.usageNs;
    await sleep(200);
    // Running, the loop would get a good part of the 200 ms.
    expect(group.stats().cpu.usageNs - used).toBeLessThan(5_000_000);
    await group.thaw();
    expect(group.frozen).toBe(false);
    expect(await within(() => group.stats().cpu.usageNs > used)).toBe(true);
    await group.freeze();
    await group.kill();
    expect(group.members()).toEqual([]);
  });

  test('block I/O: what is read is counted, by device, and no faster than allowed', async () => {
    const image = `/dev/shm/drydock-${instance}.img`;
    writeFileSync(image, Buffer.alloc(4 * MIB));
    const loop = attachLoop(image);
    try {
      const [major, minor] = deviceNumbers(loop.path);
      const throttleReadBpsDevice = [{ major, minor, rate: 2 * MIB }];
      const group = create({ blockIO: { weight: 200, throttleReadBpsDevice } });
      const began = Date.now();
      await printed(run(group, `exec dd if=${loop.path} of=/dev/null bs=64k iflag=direct`));
      // 4 MiB take 2 s; a slow machine takes longer, none less.
      expect(Date.now() - began).toBeGreaterThan(1500);
      const counted = group.stats().io.find((one) => one.major === major && one.minor === minor);
      expect(counted).toMatchObject({ readBytes: 4 * MIB, readOperations: 64, writeBytes: 0 });
      expect(file('blkio', 'blkio.bfq.weight')).toBe('200');
    } finally {
      loop.close();
      rmSync(image);
    }
  });

  test('update: limits of a living container rise, fall, and end; processors are taken away', async () => {
    const group = create({ memory: { limit: 64 * MIB, swap: 64 * MIB } });
    const child = run(group, 'sleep 1000 & echo up; wait');
    await ready(child);
    group.update({ memory: { limit: 128 * MIB, swap: 256 * MIB } });
    expect(file('memory', 'memory.memsw.limit_in_bytes')).toBe(String(256 * MIB));
    group.update({ memory: { limit: 32 * MIB, swap: 32 * MIB }, cpu: { quota: 20_000 }, pids: { limit: 30 } });
    expect(file('memory', 'memory.limit_in_bytes')).toBe(String(32 * MIB));
    expect(file('memory', 'memory.memsw.limit_in_bytes')).toBe(String(32 * MIB));
    expect(group.stats().pids.limit).toBe(30);
    group.update({ memory: { limit: -1 }, pids: { limit: -1 } });
    expect(group.stats().pids.limit).toBeNull();
    expect(Number(file('memory', 'memory.memsw.limit_in_bytes'))).toBeGreaterThan(2 ** 60);
    group.update({ cpu: { cpus: '1' } });
    expect(readFileSync(`/proc/${child.pid}/status`, 'utf8')).toMatch(/^Cpus_allowed_list:\t1$/m);
    expect(group.members()).toHaveLength(2);
  });

  test('update: a limit below what can’t be given back is refused, with what is in use', async () => {
    const group = create({});
    // 40 MiB of a tmpfs are neither to be dropped nor, without swap, to be swapped out.
    const child = run(group, 'head -c 40m /dev/zero > /dev/shm/$$; echo $$; read line; rm /dev/shm/$$');
    const filled = new Promise<string>((resolve) => child.stdout?.once('data', (text) => resolve(String(text))));
    await filled;
    expect(() => group.update({ memory: { limit: 8 * MIB } })).toThrow(
      /^unable to set memory limit to 8388608 \(current usage: \d{8}, peak usage: \d{8}\)$/,
    );
    child.stdin?.end('\n');
    await printed(child);
  });

  test('remove ends all, takes groups that the container made along, and leaves nothing', async () => {
    const group = create({});
    const nested = directory('pids', 'anna', 'a', 'b');
    await ready(run(group, `mkdir -p ${nested}; echo 0 > ${nested}/tasks; echo up; exec sleep 1000`));
    await group.remove();
    await group.remove();
    const find = ['/sys/fs/cgroup', '-maxdepth', '3', '-type', 'd', '-path', `*/${top}/anna*`];
    expect(execFileSync('find', find, { encoding: 'utf8' })).toBe('');
    expect(groups.list()).toEqual([]);
  });

  test('removeAll takes every container, the keepers’ group and its own', async () => {
    await ready(run(create({}), 'echo up; exec sleep 1000'));
    create({}, 'eve');
    await printed(processes.runIn(create({}, 'bob').keeperJoinFiles(), 'true'));
    await groups.removeAll();
    expect(mounts.filter((mount) => existsSync(join(mount, top)))).toEqual([]);
  });

  test('a restarted daemon finds them; there are no two of an id, and none of an id that is a path', async () => {
    const group = create({});
    await ready(run(group, 'echo up; exec sleep 1000'));
    const again = createContainerGroups(host, instance);
    expect(again.list()).toEqual(['anna']);
    expect(again.open('anna', null).members()).toEqual(group.members());
    expect(() => again.create('anna', {}, null)).toThrow(/control groups for container "anna": ".*anna" exists/);
    expect(group.members()).toHaveLength(1);
    expect(() => again.open('gone', null)).toThrow(
      'Cannot open the control groups of container "gone": there are none',
    );
    expect(() => again.create('../x', {}, null)).toThrow('use a-z, 0-9 and -');
  });

  test('what a crash left half made can be opened and goes; a new container takes its place', async () => {
    mkdirSync(directory('memory', 'anna', 'below'), { recursive: true });
    expect(groups.list()).toEqual(['anna']);
    await groups.open('anna', null).remove();
    expect(groups.list()).toEqual([]);
    mkdirSync(directory('memory', 'anna', 'below'), { recursive: true });
    await printed(run(create({ memory: { limit: 64 * MIB } }), 'true'));
    expect(existsSync(directory('memory', 'anna', 'below'))).toBe(false);
    expect(file('memory', 'memory.limit_in_bytes')).toBe(String(64 * MIB));
  });

  test('what still runs in one hierarchy is in the way, and none is made in the others', async () => {
    mkdirSync(directory('memory', 'anna'), { recursive: true });
    const child = processes.runIn([directory('memory', 'anna', 'tasks')], 'echo up; exec sleep 1000');
    await ready(child);
    expect(() => groups.create('anna', {}, null)).toThrow(/memory.*exists/);
    expect(existsSync(directory('cpu', 'anna'))).toBe(false);
    await groups.open('anna', null).remove();
    expect(await within(() => child.signalCode === 'SIGKILL')).toBe(true);
  });

  test('a limit that the kernel refuses leaves nothing', () => {
    expect(() => groups.create('anna', { cpu: { cpus: '9999' } }, null)).toThrow(/Cannot write .*cpuset.cpus.*E/);
    expect(groups.list()).toEqual([]);
  });

  test('--cgroup-parent: below the mount point, with and without a slash; its limits hold too', async () => {
    const parent = `drydock-${instance}-parent`;
    const group = create({ memory: { limit: 64 * MIB } }, 'anna', `/${parent}/low`);
    expect(group.path).toBe(`/${parent}/low/anna`);
    const { text } = await printed(run(group, 'cat /proc/self/cgroup'));
    expect(text).toContain(`:memory:/${parent}/low/anna\n`);
    expect(groups.open('anna', `${parent}/low`).stats().memory.limitBytes).toBe(64 * MIB);
    expect(() => groups.create('x', {}, '/../x')).toThrow('give a path below the control group mount');
    await group.remove();
    for (const mount of mounts) {
      removeBelow(join(mount, parent));
      if (existsSync(join(mount, parent))) rmdirSync(join(mount, parent));
    }
  });

  test('devices: what is on the list opens, what is not does not, not even for root; any node can be made', async () => {
    const group = create({ devices: [...DOCKER_DEVICES, parseDeviceRule('c 1:11 r')] });
    const node = join(tmpdir(), `drydock-${instance}-mem`);
    const { text } = await printed(
      run(
        group,
        `exec 2>&1; echo x > /dev/null && echo null; head -c 0 /dev/kmsg && echo log
        true > /dev/kmsg || echo read-only; mknod ${node} c 1 1 && echo made; true < ${node} || echo no; rm ${node}`,
      ),
    );
    expect(text).toMatch(/^null\nlog\n.*Operation not permitted\nread-only\nmade\n.*Operation not permitted\nno\n$/);
    expect(file('devices', 'devices.list').split('\n')).toContain('c 1:11 r');
  });

  test('devices: without v1’s controller they are bounded by a program of the v2 tree, or refused', async () => {
    const lacking = {
      ...host,
      hierarchies: host.hierarchies.filter(({ controllers }) => !controllers.includes('devices')),
    };
    const others = createContainerGroups(lacking, instance);
    if (host.unified === null) {
      expect(() => others.create('anna', { devices: DOCKER_DEVICES }, null)).toThrow(
        'Cannot bound the devices of container "anna": neither v1\'s devices controller nor a v2 tree is mounted',
      );
      return;
    }
    const group = others.create('anna', { devices: DOCKER_DEVICES }, null);
    made.push(group);
    const { text } = await printed(run(group, 'exec 2>&1; true < /dev/null && echo null; true < /dev/kmsg || echo no'));
    expect(text).toMatch(/^null\n.*Operation not permitted\nno\n$/);
  });

  test('devices: --privileged is not limited, and has no group for it', async () => {
    const group = create({ devices: ALL_DEVICES });
    const { text } = await printed(run(group, 'head -c 0 /dev/kmsg && echo log'));
    expect(text).toBe('log\n');
    expect(existsSync(directory('devices', 'anna'))).toBe(false);
  });

  test('what the host can enforce is known, and drops nothing here', () => {
    const { facts } = groups;
    expect(facts).toMatchObject({ memory: true, swap: true, cpuCfs: true, pids: true, cpuset: true, devices: true });
    expect(facts.cpus).toMatch(/^0/);
    const resources: OciResources = { memory: { limit: 64 * MIB }, pids: { limit: 3 }, cpu: { shares: 2 } };
    expect(groups.supported(resources)).toMatchObject({ resources, warnings: [] });
  });
});
