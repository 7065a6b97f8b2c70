// runc and crun as exec drivers, and what they make beside what the native driver makes of the same config.json.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Kept } from '../kernel/kernel.ts';
import { linux } from '../kernel/linux.ts';
import { dockerSeccomp } from '../model/docker-seccomp.ts';
import type { OciProcess } from '../model/oci-spec.ts';
import {
  CGROUPS,
  type Change,
  keepersIn,
  type NativeWorld,
  nativeWorld,
  outcome,
  testSpec,
} from '../testing/native-world.ts';
import { requires } from '../testing/requires.ts';
import type { ExecDriver, RunningContainer } from './driver.ts';
import { NativeDriver } from './native.ts';
import { findRuntime, OciDriver } from './oci.ts';

requires('root', 'overlay');

let world: NativeWorld;
const started: Kept[] = [];
const native = new NativeDriver({ kernel: linux, host: { cgroups: CGROUPS, mayMakeNodes: true } });
beforeAll(() => {
  world = nativeWorld();
  mkdirSync(join(world.directory, 'oci'));
});
afterEach(async () => {
  for (const kept of started.splice(0)) {
    if (kept.alive) await kept.signal(9);
    await kept.exit;
    kept.dispose();
  }
  expect(keepersIn(world)).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(world.directory);
  await expect.poll(() => readdirSync(join(world.directory, 'oci'))).toEqual([]);
});
afterAll(() => world.remove());

const ociDriver = (name: string): OciDriver =>
  new OciDriver({
    name,
    program: findRuntime(name) ?? '',
    kernel: linux,
    cgroups: CGROUPS,
    directory: join(world.directory, 'oci'),
  });

async function start(driver: ExecDriver, args: readonly string[], change: Change = {}): Promise<RunningContainer> {
  const running = await driver.start(world.launchable(args, change));
  started.push(running.kept);
  return running;
}

let executed = 0;
function execute(running: RunningContainer, args: readonly string[], change: Partial<OciProcess> = {}): Promise<Kept> {
  executed += 1;
  const { process } = testSpec('/', args, { process: change });
  const directory = join(world.directory, 'keepers', `exec-${executed}`);
  return running.exec(process, { directory, openStdin: false, privileged: false });
}

async function run(driver: ExecDriver, script: string, change: Change = {}) {
  const { kept } = await driver.start(world.launchable(['sh', '-c', script], change));
  return outcome(kept);
}

describe.each(['runc', 'crun'])('%s', (name) => {
  test('a container runs to its end under our keeper', async () => {
    const seen = await run(ociDriver(name), 'echo $$; hostname; echo oops >&2; exit 3');
    expect(seen).toEqual({ stdout: '1\nbox\n', stderr: 'oops\n', code: 3, signal: null });
  });

  test('a terminal, its size, what is typed; and an exec on one', async () => {
    const running = await start(ociDriver(name), ['sh', '-c', 'tty; stty size; read x; echo got $x'], {
      process: { terminal: true, consoleSize: { height: 30, width: 100 } },
    });
    const kept = await execute(running, ['sh', '-c', 'tty; id -u'], { terminal: true, user: { uid: 33, gid: 33 } });
    const output: Buffer[] = [];
    for await (const part of kept.follow().stream) output.push(part as Buffer);
    await kept.exit;
    kept.dispose();
    expect(Buffer.concat(output).toString()).toBe('/dev/pts/1\r\n33\r\n');
    await running.kept.write(Buffer.from('yes\r'));
    started.pop();
    expect((await outcome(running.kept)).stdout).toMatch(/\/dev\/pts\/0\r\n30 100\r\n(yes\r\n)?[^]*got yes\r\n$/);
  });

  test('a daemon that starts anew finds it, and can run programs in it and end it', async () => {
    const driver = ociDriver(name);
    const container = world.launchable(['sh', '-c', 'trap "exit 9" TERM; echo ready; while :; do sleep 0.05; done']);
    const { kept } = await driver.start(container);
    kept.release();
    const running = await driver.recover(container);
    if (running === null) throw new Error('not found again');
    started.push(running.kept);
    expect(await outcome(await execute(running, ['sh', '-c', 'echo here; exit 4']))).toMatchObject({
      stdout: 'here\n',
      code: 4,
    });
    await running.kept.signal(15);
    expect(await running.kept.exit).toEqual({ code: 9, signal: null });
  });

  test('what can’t be run is told as the runtime tells it', async () => {
    const driver = ociDriver(name);
    await expect(driver.start(world.launchable(['not-there']))).rejects.toThrow(
      /OCI runtime create failed: .*(executable file not found in \$PATH|executable file `not-there` not found).*: unknown$/,
    );
    const running = await start(driver, ['sleep', '100']);
    await expect(execute(running, ['not-there'])).rejects.toThrow(/^OCI runtime exec failed: .*not.found.*: unknown$/);
  });
});

/** Everything a process can tell of where it is, without what must differ: numbers of mounts, times, hosts' names. */
const TELL = [
  'id',
  'umask',
  'pwd',
  'env | sort',
  'ulimit -a',
  'grep -E "^(Cap|NoNewPrivs|Seccomp:|Groups|Uid|Gid|Umask|SigBlk|SigIgn|SigCgt)" /proc/self/status',
  'cat /proc/self/oom_score_adj',
  'cat /proc/sys/net/ipv4/ip_forward',
  'ls -ln /dev | sed -E "s/[A-Z][a-z]{2} +[0-9]+ +[0-9:]+ //"',
  'ls /proc/self/fd | wc -l',
  'ls /proc/acpi /sys/firmware /hidden | wc -l',
  'cat /proc/keys /proc/timer_list /secret | wc -c',
  'hostname; cat /proc/sys/kernel/domainname',
  'ip link | grep -o "lo:.*UP"',
  'for f in /proc/sys/kernel/sysrq /proc/irq/x /sys/x /x /tmp/x /dev/shm/x /data/x /rodata/x; do (echo 1 > $f) 2>/dev/null && echo "writes $f"; done',
  'unshare -m true 2>&1; mount -t tmpfs none /tmp 2>&1',
  'awk "{ root = \\$4; place = \\$5; split(\\$0, halves, \\" - \\"); split(halves[2], fs, \\" \\"); print place, root, \\$6, fs[1] }" /proc/self/mountinfo | sort',
].join('; echo ---; ');

/** Mounts by the place they are at: "/proc/keys" is the null device or one like it in each, from another file system. */
function comparable(stdout: string): string[] {
  return (
    stdout
      .split('\n')
      .map((line) => line.replace(/^(\/proc\/(keys|timer_list)|\/secret) \/null .*$/, '$1 masked'))
      .map((line) => line.replace(/^(\/proc\/acpi|\/sys\/firmware|\/hidden) \/ ro\S* tmpfs$/, '$1 masked'))
      // crun leaves out what proc itself is mounted with.
      .map((line) => line.replace(/^(\/proc\/(irq|sys) \S+) ro\S* proc$/, '$1 ro proc'))
      // crun's own: a link to kcore, whether there is one or not; /dev/null is given to the user.
      .filter((line) => !/^\/sys\/fs\/cgroup|core -> \/proc\/kcore$|1, +3 null$/.test(line))
  );
}

describe.each([
  ['root', {}],
  ['a user', { user: { uid: 33, gid: 33, additionalGids: [33, 100] }, cwd: '/made/here', noNewPrivileges: true }],
])('a container of %s', (_, process: Partial<OciProcess>) => {
  test.each(['runc', 'crun'])('is the same by the native driver and by %s', async (name) => {
    const data = join(world.directory, 'data');
    rmSync(data, { recursive: true, force: true });
    mkdirSync(data);
    writeFileSync(join(world.rootfs, 'secret'), 'secret');
    mkdirSync(join(world.rootfs, 'hidden/deep'), { recursive: true });
    const bind = (destination: string, ...options: string[]) => ({ destination, source: data, type: 'bind', options });
    const change: Change = {
      process: {
        ...process,
        rlimits: [{ type: 'RLIMIT_NOFILE', soft: 512, hard: 1024 }],
        oomScoreAdj: 100,
        env: ['PATH=/bin', 'HOME=/h', 'A=1'],
      },
      mounts: [bind('/data', 'rbind', 'rprivate'), bind('/rodata', 'rbind', 'ro', 'rprivate')],
      linux: {
        seccomp: dockerSeccomp('x86_64', ['CAP_SYS_CHROOT']),
        sysctl: { 'net.ipv4.ip_forward': '1', 'kernel.domainname': 'example.org' },
        maskedPaths: [
          '/proc/keys',
          '/proc/timer_list',
          '/proc/acpi',
          '/sys/firmware',
          '/secret',
          '/hidden',
          '/not/there',
        ],
        readonlyPaths: ['/proc/sys', '/proc/irq', '/tmp', '/not/there'],
        devices: [{ type: 'c', path: '/dev/net/tun', major: 10, minor: 200, fileMode: 0o666, uid: 0, gid: 0 }],
      },
    };
    const ours = await run(native, TELL, change);
    const theirs = await run(ociDriver(name), TELL, change);
    expect(ours.stdout.split('---').length).toBeGreaterThan(15);
    expect(comparable(ours.stdout)).toEqual(comparable(theirs.stdout));
    expect([ours.stderr, ours.code]).toEqual([theirs.stderr, theirs.code]);
    expect(existsSync(join(data, 'x'))).toBe(process.user === undefined);
  });
});
