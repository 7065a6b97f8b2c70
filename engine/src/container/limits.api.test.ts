// Limits as the docker CLI sets, changes and shows them, on a real daemon; what they come to is read from the control groups,
// inside and on the host.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hierarchyOf } from '../model/cgroup-host.ts';
import { instanceId } from '../instance-id.mjs';
import { detectCgroups } from '../kernel/cgroup/detect.ts';
import { TestDaemon } from '../testing/daemon.ts';
import { requires } from '../testing/requires.ts';
import { type TestImage, busyboxImage } from '../testing/test-image.ts';

const able = requires('root', 'cgroup', 'cgroup-v1', 'overlay');
const MIB = 2 ** 20;
const host = detectCgroups();
const mounts = [...host.hierarchies.map(({ mountPoint }) => mountPoint), ...(host.unified ? [host.unified] : [])];
const parent = `drydock-parent-${process.pid}`;
let daemon: TestDaemon;
let image: TestImage;

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const docker = (...args: string[]) =>
  new Promise<Said>((resolve) => {
    const all = ['-H', `unix://${daemon.engineSocket}`, ...args];
    execFile('docker', all, { encoding: 'utf8', timeout: 50_000 }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error ? -1 : 0, out, err }),
    );
  });
/** Runs a script in a container that is removed at its end. */
const sh = (options: string[], script: string) => docker('run', '--rm', ...options, 'busybox', 'sh', '-c', script);
/** A file of a container's group on the host. */
const file = (controller: string, id: string, name: string, top = `drydock-${groupName()}-containers`) =>
  readFileSync(join(hierarchyOf(host, controller)?.mountPoint ?? '', top, id, name), 'utf8').trim();
const groupName = () => instanceId(daemon.root, join(daemon.directory, 'run'));

beforeAll(async () => {
  if (!able) return;
  daemon = await TestDaemon.start({ learners: false });
  image = busyboxImage();
  expect((await docker('load', '-i', image.dockerTar)).code).toBe(0);
});
afterAll(async () => {
  if (!able) return;
  await daemon.end();
  image.remove();
  // The daemon leaves it: somebody might have set limits there.
  for (const mount of mounts) if (existsSync(join(mount, parent))) rmdirSync(join(mount, parent));
});

test('run: memory, processors, processes and block devices are bounded inside', async () => {
  const device = readdirSync('/sys/block').find((name) => /^(sd|vd|nvme|xvd)/.test(name)) ?? '';
  const { out, err } = await sh(
    `-m 64m --memory-reservation 32m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 33 --device-read-bps /dev/${device}:1mb`.split(
      ' ',
    ),
    `cd /sys/fs/cgroup; for one in memory/memory.limit_in_bytes memory/memory.memsw.limit_in_bytes
    memory/memory.soft_limit_in_bytes cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.shares cpuset/cpuset.cpus
    pids/pids.max blkio/blkio.throttle.read_bps_device; do cat $one; done`.replaceAll('\n', ' '),
  );
  const numbers = readFileSync(`/sys/block/${device}/dev`, 'utf8').trim();
  expect(err).toBe('');
  const memory = [64, 128, 32].map((mib) => mib * MIB).join(' ');
  expect(out.trim().replaceAll('\n', ' ')).toBe(`${memory} 50000 100000 512 0 33 ${numbers} 1048576`);
});

test('out of memory: exit code 137, OOMKilled, an event before the end', async () => {
  const since = Math.floor(Date.now() / 1000) - 1;
  expect((await docker('run', '--name', 'oom', '-m', '32m', 'busybox', 'tail', '/dev/zero')).code).toBe(137);
  const { out } = await docker(
    'inspect',
    '-f',
    '{{.State.OOMKilled}} {{.State.ExitCode}} {{.HostConfig.MemorySwap}}',
    'oom',
  );
  expect(out).toBe(`true 137 ${64 * MIB}\n`);
  const until = String(Math.ceil(Date.now() / 1000) + 1);
  const events = await docker(
    ...`events --since ${since} --until ${until} --filter container=oom --format {{.Action}}`.split(' '),
  );
  const actions = events.out.trim().split('\n');
  expect(actions.slice(actions.indexOf('start'))).toEqual(['start', 'oom', 'die']);
});

test.each([
  [['-m', '1m'], 'Minimum memory limit allowed is 6MB'],
  [['-m', '64m', '--memory-swap', '32m'], 'Minimum memoryswap limit should be larger than memory limit, see usage'],
  [['--cpuset-cpus', '900'], /^Requested CPUs are not available - requested 900, available: \d/],
  [['--cpus', '900'], /^range of CPUs is from 0\.01 to (\d+)\.00, as there are only \1 CPUs available/],
  [['--cpu-shares', '1'], 'the minimum allowed cpu-shares is 2'],
])('run %j is refused in Docker’s words', async (options, message) => {
  const { code, err } = await sh(options, 'true');
  expect(code).toBe(125);
  const said = /^docker: (?:Error response from daemon: )?([^]*?)\n\n?Run 'docker run --help'/.exec(err)?.[1];
  if (typeof message === 'string') expect(said).toBe(message);
  else expect(said).toMatch(message);
});

test('what may go wrong is warned of', async () => {
  const { code, err } = await sh(['--oom-kill-disable'], 'true');
  expect([code, err]).toEqual([
    0,
    'WARNING: OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.\n',
  ]);
});

test('update: a running container is bounded anew; what does not go together is refused', async () => {
  const id = (await docker('run', '-d', '--name', 'life', '-m', '64m', 'busybox', 'sleep', '1000')).out.trim();
  const change = ['update', '-m', '128m', '--memory-swap', '256m', '--cpus', '1.5', '--pids-limit', '50', 'life'];
  const updated = await docker(...change);
  expect(updated).toEqual({ code: 0, out: 'life\n', err: '' });
  expect(file('memory', id, 'memory.limit_in_bytes')).toBe(String(128 * MIB));
  expect(file('memory', id, 'memory.memsw.limit_in_bytes')).toBe(String(256 * MIB));
  expect(file('cpu', id, 'cpu.cfs_quota_us')).toBe('150000');
  expect(file('pids', id, 'pids.max')).toBe('50');
  const { out } = await docker('inspect', '-f', '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}}', 'life');
  expect(out).toBe(`${128 * MIB} 1500000000\n`);
  const conflict = await docker('update', '--cpu-quota', '5000', 'life');
  expect(conflict.err).toBe(
    `Error response from daemon: Cannot update container ${id}: Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set\n`,
  );
  const swap = await docker('update', '-m', '512m', 'life');
  expect(swap.err).toContain('Memory limit should be smaller than already set memoryswap limit');
});

test('stats: what the control files say', async () => {
  const { out } = await docker('stats', '--no-stream', '--format', '{{.Name}} {{.MemUsage}} {{.PIDs}}', 'life');
  expect(out).toMatch(/^life [\d.]+\wi?B \/ 128MiB 1\n$/);
});

test('devices: any can be made, only those of the list open; --device and --device-cgroup-rule add some, --privileged all', async () => {
  const open = (path: string) => `{ true < ${path}; } 2> /dev/null && echo opened || echo refused`;
  const made = `mknod /tmp/control c 10 237 && ${open('/tmp/control')}`;
  expect((await sh([], made)).out).toBe('refused\n');
  expect((await sh(['--device-cgroup-rule', 'c 10:237 r'], made)).out).toBe('opened\n');
  expect((await sh(['--device', '/dev/loop-control:/dev/given:r'], open('/dev/given'))).out).toBe('opened\n');
  expect((await sh(['--privileged'], open('/dev/loop-control'))).out).toBe('opened\n');
  for (const path of ['/dev/null', '/dev/zero', '/dev/full', '/dev/random', '/dev/ptmx'])
    expect([path, (await sh([], open(path))).out]).toEqual([path, 'opened\n']);
});

test('--cgroup-parent: found again by the next daemon; nothing is left of the daemon’s groups', async () => {
  const id = (
    await docker('run', '-d', '--name', 'low', '--cgroup-parent', `/${parent}`, 'busybox', 'sleep', '1000')
  ).out.trim();
  expect(file('pids', id, 'cgroup.procs', parent).split('\n')).toHaveLength(1);
  await daemon.killAndRestart();
  const { out } = await docker('ps', '--format', '{{.Names}} {{.State}}');
  expect(out.trim().split('\n').sort()).toEqual(['life running', 'low running']);
  expect((await docker('rm', '-f', 'low', 'life', 'oom')).code).toBe(0);
  expect(mounts.filter((mount) => existsSync(join(mount, parent, id)))).toEqual([]);
});

test('info: what this host can bound', async () => {
  const { out } = await docker('info', '-f', '{{.MemoryLimit}} {{.SwapLimit}} {{.PidsLimit}} {{.CgroupVersion}}');
  expect(out).toBe('true true true 1\n');
});
