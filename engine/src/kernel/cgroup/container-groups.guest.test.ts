// Control groups of containers on a v2 host, in the guest: limits, counters, OOM kills, devices.
import { existsSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { ALL_DEVICES, DOCKER_DEVICES } from '../../model/default-devices.ts';
import type { OciResources } from '../../model/oci-spec.ts';
import { GroupProcesses, printed, ready } from '../../testing/group-processes.ts';
import type { ContainerGroup } from './container-group.ts';
import { createContainerGroups } from './container-groups.ts';
import { detectCgroups } from './detect.ts';
import { reached } from './files.ts';

const MIB = 2 ** 20;
const TOP = 'drydock-guest-containers';
const host = detectCgroups();
const groups = createContainerGroups(host, 'guest');
const processes = new GroupProcesses();
const made: ContainerGroup[] = [];

const create = (resources: OciResources, id = 'anna', parent: string | null = null) => {
  const group = groups.create(id, resources, parent);
  made.push(group);
  return group;
};
const run = (group: ContainerGroup, command: string) => processes.runIn(group.joinFiles(), command);
const within = (condition: () => boolean) => reached(40_000, condition);
const read = (...names: string[]) => readFileSync(join('/sys/fs/cgroup', TOP, 'anna', ...names), 'utf8').trim();

afterEach(async () => {
  for (const group of made.splice(0)) await group.remove();
  processes.end();
});
afterAll(() => groups.removeAll());

test('limits stand where they were planned, change on a living container, and end', async () => {
  const device = readFileSync('/sys/block/vda/dev', 'utf8').trim();
  const [major = 0, minor = 0] = device.split(':').map(Number);
  const group = create({
    memory: { limit: 64 * MIB, swap: 64 * MIB, reservation: 32 * MIB },
    cpu: { shares: 512, quota: 50_000, period: 50_000, cpus: '0', mems: '0' },
    pids: { limit: 20 },
    blockIO: {
      throttleReadBpsDevice: [{ major, minor, rate: 1_000_000 }],
      throttleWriteIOPSDevice: [{ major, minor, rate: 50 }],
    },
  });
  expect(read('memory.max')).toBe(String(64 * MIB));
  expect(read('memory.low')).toBe(String(32 * MIB));
  expect(read('cpu.weight')).toBe('59');
  expect(read('cpu.max')).toBe('50000 50000');
  expect(read('cpuset.cpus')).toBe('0');
  expect(read('pids.max')).toBe('20');
  expect(read('io.max')).toBe(`${device} rbps=1000000 wbps=max riops=max wiops=50`);
  await ready(run(group, 'echo up; exec sleep 1000'));
  group.update({ memory: { limit: 128 * MIB }, cpu: { quota: 20_000 }, pids: { limit: -1 } });
  expect(read('memory.max')).toBe(String(128 * MIB));
  expect(read('cpu.max')).toBe('20000 50000');
  expect(group.stats().pids).toEqual({ current: 1, limit: null });
  group.update({ memory: { limit: -1 } });
  expect(read('memory.max')).toBe('max');
});

test('memory: who goes over the limit is killed, counted and heard of', async () => {
  const group = create({ memory: { limit: 32 * MIB, swap: 32 * MIB } });
  const heard: number[] = [];
  const stop = group.onOom((kills) => heard.push(kills));
  const { signal } = await printed(run(group, 'exec tail /dev/zero'));
  expect(signal).toBe('SIGKILL');
  expect(group.oomKills).toBe(1);
  expect(group.stats().memory).toMatchObject({ oomKills: 1, limitBytes: 32 * MIB });
  expect(await within(() => heard.includes(1))).toBe(true);
  stop();
});

test('pids: a fork bomb stops at the limit; counters are those of the files; kill ends it', async () => {
  const group = create({ pids: { limit: 20 }, cpu: { quota: 50_000, period: 100_000 } });
  const { text } = await printed(run(group, 'while :; do sleep 1000 >&- 2>&- & done'));
  expect(text).toMatch(/fork/i);
  run(group, 'while :; do :; done');
  expect(await within(() => group.stats().cpu.throttledPeriods > 2)).toBe(true);
  await group.freeze();
  expect(group.frozen).toBe(true);
  const { cpu, memory, pids } = group.stats();
  expect(pids).toEqual({ current: Number(read('pids.current')), limit: 20 });
  const kernel = new Map(
    read('cpu.stat')
      .split('\n')
      .map((line) => line.split(' '))
      .map(([key, value]) => [key, Number(value)]),
  );
  expect(cpu.throttledPeriods).toBe(kernel.get('nr_throttled'));
  expect(cpu.throttledNs).toBe((kernel.get('throttled_usec') ?? 0) * 1000);
  expect(cpu.usageNs).toBeGreaterThan(0);
  expect(memory.usageBytes).toBeGreaterThan(0);
  expect(memory.stat['anon']).toBeGreaterThan(0);
  await group.thaw();
  await group.kill();
  expect(group.members()).toEqual([]);
});

test('a container that hands controllers down can still be joined: where its processes are', async () => {
  const group = create({});
  const own = join('/sys/fs/cgroup', TOP, 'anna');
  const script = `mkdir ${own}/init; echo 0 > ${own}/init/cgroup.procs; echo +memory > ${own}/cgroup.subtree_control; echo up; exec sleep 1000`;
  await ready(run(group, script));
  expect(group.cgroupDirectory()).toBe(join(own, 'init'));
  expect((await printed(run(group, 'cat /proc/self/cgroup'))).text).toBe(`0::/${TOP}/anna/init\n`);
  expect(group.members()).toHaveLength(1);
});

test('devices: Docker’s list holds by a program, and --privileged has none', async () => {
  const opened =
    'for one in null zero kmsg vda; do { true < /dev/$one; } 2> /dev/null && echo $one; done; mknod /tmp/node b 7 0 && echo made; rm /tmp/node';
  expect((await printed(run(create({ devices: DOCKER_DEVICES }), opened))).text).toBe('null\nzero\nmade\n');
  expect((await printed(run(create({ devices: ALL_DEVICES }, 'eve'), opened))).text).toContain('vda\n');
});

test('remove takes groups that the container made along; --cgroup-parent; what the host can enforce', async () => {
  const group = create({});
  const nested = join('/sys/fs/cgroup', TOP, 'anna/a/b');
  await ready(run(group, `mkdir -p ${nested}; echo 0 > ${nested}/cgroup.procs; echo up; exec sleep 1000`));
  expect(group.keeperJoinFiles()).toEqual([]);
  await group.remove();
  expect(groups.list()).toEqual([]);
  const low = create({ memory: { limit: 64 * MIB } }, 'anna', '/parent/low');
  expect(low.cgroupDirectory()).toBe('/sys/fs/cgroup/parent/low/anna');
  expect(low.stats().memory.limitBytes).toBe(64 * MIB);
  await low.remove();
  for (const one of ['parent/low', 'parent']) rmdirSync(join('/sys/fs/cgroup', one));
  expect(groups.facts).toMatchObject({ memory: true, cpuCfs: true, pids: true, swappiness: false });
  expect(existsSync(join('/sys/fs/cgroup', TOP, 'anna'))).toBe(false);
});
