// Hostile images and programs: what they plant, name or hold must not lead out of the container. Each test has the hole it
// closes in its name.
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { Kept } from '../kernel/kernel.ts';
import { launchPath } from '../kernel/launch-program.ts';
import { linux } from '../kernel/linux.ts';
import {
  CGROUPS,
  type Change,
  keepersIn,
  type NativeWorld,
  nativeWorld,
  outcome,
  testSpec,
} from '../testing/native-world.ts';
import type { RunningContainer } from './driver.ts';
import { NativeDriver } from './native.ts';

const driver = new NativeDriver({ kernel: linux, host: { cgroups: CGROUPS, mayMakeNodes: true } });
let world: NativeWorld;
/** A directory of the host's that nothing may touch. */
let victim: string;
const started: Kept[] = [];
const worlds: NativeWorld[] = [];
beforeEach(() => {
  world = nativeWorld();
  worlds.push(world);
  victim = join(world.directory, 'victim');
  mkdirSync(victim);
  writeFileSync(join(victim, 'secret'), 'of the host');
});
afterEach(async () => {
  for (const kept of started.splice(0)) {
    if (kept.alive) await kept.signal(9);
    await kept.exit;
    kept.dispose();
  }
  expect(readdirSync(victim)).toEqual(['secret']);
  expect(readFileSync(join(victim, 'secret'), 'utf8')).toBe('of the host');
  expect(keepersIn(world)).toEqual([]);
});
afterAll(async () => {
  for (const one of worlds) await one.remove();
});

async function start(args: readonly string[], change: Change = {}): Promise<RunningContainer> {
  const running = await driver.start(world.launchable(args, change));
  started.push(running.kept);
  return running;
}

async function run(script: string, change: Change = {}) {
  const { kept } = await driver.start(world.launchable(['sh', '-c', script], change));
  return outcome(kept);
}

let executed = 0;
function execute(running: RunningContainer, args: readonly string[], process: Change['process'] = {}): Promise<Kept> {
  executed += 1;
  const directory = join(world.directory, 'keepers', `exec-${executed}`);
  return running.exec(testSpec('/', args, { process }).process, { directory, openStdin: false, privileged: false });
}

const bind = (source: string, destination: string) => ({
  source,
  destination,
  type: 'bind',
  options: ['rbind', 'rprivate'],
});
/** Puts a link into the image, in the place of what is there. */
function plant(path: string, target: string): void {
  rmSync(join(world.rootfs, path), { recursive: true, force: true });
  symlinkSync(target, join(world.rootfs, path));
}

test('no descriptor of the host’s is a working directory (CVE-2024-21626)', async () => {
  const running = await start(['sleep', '1000']);
  for (let fd = 3; fd < 24; fd += 1)
    for (const cwd of [`/proc/self/fd/${fd}`, `/proc/self/fd/${fd}/..`]) {
      await expect(driver.start(world.launchable(['true'], { process: { cwd } }))).rejects.toThrow(
        /OCI runtime create failed/,
      );
      await expect(execute(running, ['true'], { cwd })).rejects.toThrow(/chdir to cwd .* failed/);
    }
});

test('a program holds nothing but its own three descriptors, seen from outside, too', async () => {
  const running = await start(['sleep', '1000'], { process: { terminal: true } });
  const links = readdirSync(`/proc/${running.pid}/fd`).map((fd) => readlinkSync(`/proc/${running.pid}/fd/${fd}`));
  expect(links).toEqual(['/dev/pts/0', '/dev/pts/0', '/dev/pts/0']);
  const piped = await start(['sleep', '1000'], { openStdin: true, init: true });
  const seen = await outcome(
    await execute(piped, ['sh', '-c', 'ls /proc/1/fd; echo -; ls /proc/2/fd; echo -; ls /proc/self/fd']),
  );
  expect(seen.stdout.split('\n').join(' ')).toBe('- 0 1 2 - 0 1 2 3 ');
});

test('the engine’s program can’t be had or changed by executing /proc/self/exe (CVE-2019-5736)', async () => {
  const hash = () => createHash('sha256').update(readFileSync(launchPath())).digest('hex');
  const before = hash();
  plant('evil', '/proc/self/exe');
  const { code, stdout } = await outcome((await driver.start(world.launchable(['/evil', 'x']))).kept);
  expect([code, stdout]).toEqual([126, '']);
  const running = await start([
    'sh',
    '-c',
    'while :; do for p in /proc/[0-9]*; do echo x > $p/exe; done 2>/dev/null; done',
  ]);
  for (let round = 0; round < 5; round += 1)
    expect((await outcome(await execute(running, ['/bin/true']))).code).toBe(0);
  expect(hash()).toBe(before);
  expect((await run('true')).code).toBe(0);
});

test('links of the image lead mounts nowhere but inside', async () => {
  plant('data', victim);
  plant('etc/resolv.conf', join(victim, 'made-by-mount'));
  plant('up', '../../../../../../../..');
  const given = join(world.directory, 'given');
  mkdirSync(given);
  writeFileSync(join(given, 'file'), 'given\n');
  const file = await run('cat /etc/resolv.conf; cat /up/etc/passwd | head -n 1', {
    mounts: [bind(join(given, 'file'), '/etc/resolv.conf'), bind(given, `/up${victim}`)],
  });
  expect(file).toMatchObject({ stdout: 'given\nroot:x:0:0:root:/root:/bin/sh\n', code: 0 });
  // The link's target is not there inside: nothing is made outside in its stead.
  await expect(run('true', { mounts: [bind(given, '/data/x')] })).rejects.toThrow(/error mounting|mkdirat/);
  await expect(run('true', { process: { cwd: '/data/y' } })).rejects.toThrow(/OCI runtime create failed/);
});

test.each([
  ['proc', 'tmp'],
  ['proc', '/etc'],
  ['sys', '/tmp'],
])('an image with a link at /%s to %s gets no such file system elsewhere', async (path, target) => {
  plant(path, target);
  await expect(run('true')).rejects.toThrow(
    `error mounting "${path === 'sys' ? 'sysfs' : path}" to rootfs at "/${path}": it must be a directory`,
  );
});

test('a link at /dev is followed inside, and its devices are made there', async () => {
  plant('dev', victim);
  await expect(run('true')).rejects.toThrow(/OCI runtime create failed/);
  plant('dev', '/tmp');
  expect((await run('ls -l /tmp/null | cut -c1-10')).stdout).toBe('crw-rw-rw-\n');
});

test('a planted /dev/null does not open what is masked (CVE-2025-31133)', async () => {
  const dev = join(world.directory, 'dev');
  mkdirSync(dev);
  symlinkSync('/proc/sys/kernel/core_pattern', join(dev, 'null'));
  const before = readFileSync('/proc/sys/kernel/core_pattern', 'utf8');
  const script =
    'cat /proc/keys /proc/timer_list | head -c 10 | wc -c; echo evil > /proc/keys; echo evil > /dev/null; ls -l /proc/keys | cut -c1-10';
  const { stdout } = await run(script, {
    mounts: [bind(dev, '/dev')],
    spec: {
      mounts: testSpec('/', [])
        .mounts.filter(({ destination }) => !destination.startsWith('/dev'))
        .concat(bind(dev, '/dev')),
    },
  });
  expect(stdout).toBe('0\ncrw-rw-rw-\n');
  expect(readFileSync('/proc/sys/kernel/core_pattern', 'utf8')).toBe(before);
});

test('a volume of the image over the kernel’s files is refused, and writes to sysctls go to proc alone', async () => {
  for (const destination of ['/proc', '/proc/sys/net', '/proc//self/attr'])
    await expect(run('true', { mounts: [bind(victim, destination)] })).rejects.toThrow(/cannot be mounted because it/);
  // Through a link of the image a mount may lie on proc: it hides the container's own view, and is not written to.
  plant('evil', '/proc/sys');
  const fake = join(world.directory, 'fake');
  mkdirSync(join(fake, 'net/ipv4'), { recursive: true });
  writeFileSync(join(fake, 'net/ipv4/ip_forward'), 'fake');
  const sysctl = { 'net.ipv4.ip_forward': '1' };
  await expect(run('true', { mounts: [bind(fake, '/evil')], linux: { sysctl } })).rejects.toThrow(
    'write sysctl key net.ipv4.ip_forward: invalid cross-device link',
  );
  expect(readFileSync(join(fake, 'net/ipv4/ip_forward'), 'utf8')).toBe('fake');
});

test('a terminal that was tampered with is an error, not a wait', async () => {
  const running = await start(['sh', '-c', 'rm /dev/ptmx; mkfifo /dev/ptmx; echo ready; exec sleep 1000']);
  for await (const part of running.kept.follow().stream) if (String(part).includes('ready')) break;
  await expect(execute(running, ['true'], { terminal: true })).rejects.toThrow('ioctl: inappropriate ioctl for device');
});

test('a container can’t mount, make namespaces or load programs into the kernel', async () => {
  const script =
    'mount -t proc none /tmp; unshare -m true; umount /proc; mount -o remount,rw /sys; echo x > /proc/sysrq-trigger; mknod /tmp/kmsg c 1 11 && cat /tmp/kmsg';
  const { stdout, code } = await run(`${script}; echo done`);
  expect([stdout, code]).toEqual(['done\n', 0]);
});
