// Containers of the native driver, from the outside and from within: what they see, who they are, how they fail and end.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { linux } from '../kernel/linux.ts';
import type { Kept } from '../kernel/kernel.ts';
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
import type { RunningContainer } from './driver.ts';
import { NativeDriver } from './native.ts';

const driver = new NativeDriver({ kernel: linux, host: { cgroups: CGROUPS, mayMakeNodes: true } });
let world: NativeWorld;
const started: Kept[] = [];
beforeAll(() => {
  world = nativeWorld();
});
afterEach(async () => {
  for (const kept of started.splice(0)) {
    if (kept.alive) await kept.signal(9);
    await kept.exit;
    kept.dispose();
  }
  expect(keepersIn(world)).toEqual([]);
  expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(world.directory);
});
afterAll(() => world.remove());

async function run(script: string, change: Change = {}) {
  const { kept } = await driver.start(world.launchable(['sh', '-c', script], change));
  return outcome(kept);
}

async function start(args: readonly string[], change: Change = {}): Promise<RunningContainer> {
  const running = await driver.start(world.launchable(args, change));
  started.push(running.kept);
  return running;
}

const NOBODY: OciProcess['user'] = { uid: 65_534, gid: 65_534, additionalGids: [100] };
const BOUNDING_ONLY = { bounding: ['CAP_CHOWN'], effective: [], permitted: [], inheritable: [], ambient: [] };
/** Waits until the output so far has a text. */
async function written(kept: Kept, wanted: string): Promise<void> {
  let seen = '';
  for await (const part of kept.follow().stream) {
    seen += String(part);
    if (seen.includes(wanted)) return;
  }
}

let executed = 0;
function execute(
  running: RunningContainer,
  args: readonly string[],
  change: Partial<OciProcess> = {},
  openStdin = false,
) {
  executed += 1;
  const directory = join(world.directory, 'keepers', `exec-${executed}`);
  const { process } = testSpec('/', args, { process: change });
  return running.exec(process, { directory, openStdin, privileged: false });
}

test('a container is alone in its namespaces, on its own root, and its exit is known', async () => {
  const { stdout, stderr, code } = await run('echo $$; hostname; ls /; ls /sys/class/net; echo oops >&2; exit 3');
  const lines = stdout.trim().split('\n');
  expect(lines.slice(0, 2)).toEqual(['1', 'box']);
  expect(lines.slice(2, -1)).toEqual(readdirSync(world.rootfs).sort());
  expect(lines.at(-1)).toBe('lo');
  expect([stderr, code]).toEqual(['oops\n', 3]);
});

test('its processes are in its control groups, and it sees them as the root', async () => {
  const running = await start(['sleep', '1000']);
  const groups = readFileSync(`/proc/${running.pid}/cgroup`, 'utf8').trim().split('\n');
  const own = groups.filter((line) => /:\/drydock-native-[\w-]+-containers\/c+\d+$/.test(line));
  expect(own.length).toBeGreaterThan(1);
  const seen = await outcome(await execute(running, ['cat', '/proc/1/cgroup']));
  expect(seen.stdout).not.toContain('drydock');
});

test('a user without root has no capability, his groups, his umask, and may write to his own output', async () => {
  const script = 'id; umask; grep -E "Cap(Prm|Eff|Bnd)" /proc/self/status; echo again > /dev/stdout; pwd';
  const { stdout, stderr } = await run(script, {
    process: { user: { ...NOBODY, umask: 0o077 }, capabilities: BOUNDING_ONLY, cwd: '/srv/deep/er' },
  });
  expect(stderr).toBe('');
  expect(stdout).toContain('uid=65534(nobody) gid=65534(nobody) groups=100(users)');
  expect(stdout).toContain('0077');
  expect(stdout).toMatch(/CapPrm:\t0+\nCapEff:\t0+\nCapBnd:\t0+1\n/);
  expect(stdout).toContain('again\n/srv/deep/er\n');
});

test.each([
  [
    'ambient capabilities reach a user’s program',
    { ambient: true },
    /CapEff:\t0+400\nCapBnd:\t0+400\nCapAmb:\t0+400\nNoNewPrivs:\t0/,
  ],
  ['no_new_privs is set', { noNewPrivileges: true }, /NoNewPrivs:\t1/],
])(
  '%s',
  async (_, { ambient = false, noNewPrivileges = false }: { ambient?: boolean; noNewPrivileges?: boolean }, wanted) => {
    const one = ['CAP_NET_BIND_SERVICE'];
    const capabilities = ambient
      ? { bounding: one, effective: one, permitted: one, inheritable: one, ambient: one }
      : BOUNDING_ONLY;
    const { stdout } = await run('cat /proc/self/status', { process: { user: NOBODY, capabilities, noNewPrivileges } });
    expect(stdout).toMatch(wanted);
  },
);

test('limits, sysctls, oom_score_adj and a read-only root are as asked for', async () => {
  const { stdout } = await run(
    'ulimit -n; ulimit -Hn; cat /proc/sys/net/ipv4/ip_forward /proc/self/oom_score_adj; touch /x || echo refused; touch /dev/shm/x && echo written',
    {
      process: { rlimits: [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }], oomScoreAdj: 321 },
      linux: { sysctl: { 'net.ipv4.ip_forward': '1' } },
      spec: { root: { path: join(world.directory, 'ground'), readonly: true } },
    },
  );
  expect(stdout).toBe('100\n200\n1\n321\nrefused\nwritten\n');
});

test('directories and single files of the host are bound, read-only where asked for, with what lies on them', async () => {
  const shared = join(world.directory, 'shared');
  mkdirSync(join(shared, 'below'), { recursive: true });
  writeFileSync(join(shared, 'file'), 'content\n');
  execFileSync('mount', ['-t', 'tmpfs', 'drydock-test', join(shared, 'below')]);
  try {
    const bind = (destination: string, options: string[], source = shared) => ({
      destination,
      source,
      type: 'bind',
      options,
    });
    const { stdout } = await run(
      `cat /deep/in/file; for d in /rw /ro /rro /flat; do touch $d/x 2>/dev/null && echo $d; touch $d/below/y 2>/dev/null && echo $d/below; done;
       echo changed >> /deep/in/file && cat /deep/in/file`,
      {
        mounts: [
          bind('/rw', ['rbind', 'rprivate']),
          bind('/ro', ['rbind', 'ro', 'rprivate']),
          bind('/rro', ['rbind', 'rro', 'rprivate']),
          bind('/flat', ['bind']),
          bind('/deep/in/file', ['rbind', 'rprivate'], join(shared, 'file')),
        ],
      },
    );
    expect(stdout).toBe('content\n/rw\n/rw/below\n/ro/below\n/flat\n/flat/below\ncontent\nchanged\n');
    expect(readdirSync(join(shared, 'below'))).toEqual(['y']);
  } finally {
    execFileSync('umount', [join(shared, 'below')]);
  }
});

test('masked paths are empty, read-only ones can’t be written to', async () => {
  writeFileSync(join(world.rootfs, 'etc/secret'), 'secret\n');
  mkdirSync(join(world.rootfs, 'hidden/deep'), { recursive: true });
  const { stdout } = await run(
    'cat /etc/secret /proc/keys; ls -A /hidden /sys/firmware /proc/acpi 2>/dev/null; echo 1 > /proc/sys/kernel/sysrq || echo refused; touch /tmp/x || echo refused',
    {
      linux: {
        maskedPaths: [
          '/etc/secret',
          '/hidden',
          '/proc/keys',
          '/proc/acpi',
          '/sys/firmware',
          '/not/there',
          '/etc/secret/x',
        ],
        readonlyPaths: ['/proc/sys', '/tmp', '/not/there'],
      },
    },
  );
  expect(stdout.replaceAll(/^\/.*:\n|^\n/gm, '')).toBe('refused\nrefused\n');
});

test('a terminal is the container’s own, its console too, and everything typed and written is kept', async () => {
  const running = await start(
    ['sh', '-c', 'tty; stty size; ls -l /dev/console; echo ready; read x; echo got $x; stty size'],
    {
      process: { terminal: true, consoleSize: { height: 30, width: 100 } },
    },
  );
  await written(running.kept, 'ready');
  await running.kept.resize(132, 43);
  await running.kept.write(Buffer.from('yes\r'));
  const seen = (await outcome(running.kept)).stdout;
  started.pop();
  expect(seen).toMatch(/^\/dev\/pts\/0\r\n30 100\r\ncrw--w----[^\n]+ 136, +0 /);
  expect(seen).toContain('got yes\r\n43 132\r\n');
});

test('input goes in while stdin is open, and is /dev/null otherwise', async () => {
  const running = await start(['cat'], { openStdin: true });
  await running.kept.write(Buffer.from('hello'));
  await running.kept.endInput();
  expect((await outcome(running.kept)).stdout).toBe('hello');
  started.pop();
  expect(await run('cat; ls -l /proc/self/fd/0')).toMatchObject({
    stdout: expect.stringContaining('/dev/null') as string,
  });
});

test('--init: a small init is pid 1, hands signals on, reaps, and ends as the program ends', async () => {
  const script = '(sleep 0.1 &) ; trap "echo stopped; exit 7" TERM; echo ready; while :; do sleep 0.05; done';
  const running = await start(['sh', '-c', script], { init: true });
  await written(running.kept, 'ready');
  const seen = await outcome(
    await execute(running, [
      'sh',
      '-c',
      'cat /proc/1/comm; while grep -q ") Z " /proc/[0-9]*/stat; do sleep 0.05; done; echo none',
    ]),
  );
  expect(seen.stdout).toBe('init\nnone\n');
  await running.kept.signal(15);
  expect(await outcome(running.kept)).toMatchObject({ code: 7, stdout: 'ready\nstopped\n' });
  started.pop();
  const killed = await start(['sh', '-c', 'kill -9 $$'], { init: true });
  expect(await killed.kept.exit).toEqual({ code: 137, signal: null });
});

test('--init with a terminal: the program has it, and the console is there', async () => {
  const running = await start(
    ['sh', '-c', 'tty; ls /dev/console; cat /proc/1/comm; ps -o pid,tty | grep -c pts; echo $$'],
    {
      init: true,
      process: { terminal: true },
    },
  );
  const { stdout, code } = await outcome(running.kept);
  started.pop();
  expect(stdout.split('\r\n')).toEqual(['/dev/pts/0', '/dev/console', 'init', expect.any(String), '2', '']);
  expect(code).toBe(0);
});

test('an exec is in every namespace and group of the container, on pipes or a terminal', async () => {
  const running = await start(['sleep', '1000']);
  const script = 'ls -l /proc/self/ns /proc/1/ns | grep -o "[a-z]*:\\[.*" | sort -u | wc -l; cat; exit 5';
  const kept = await execute(running, ['sh', '-c', script], {}, true);
  await kept.write(Buffer.from('typed'));
  await kept.endInput();
  expect(await outcome(kept)).toMatchObject({ stdout: '8\ntyped', code: 5 });
  const terminal = await execute(running, ['sh', '-c', 'tty; id -u'], { terminal: true, user: { uid: 33, gid: 33 } });
  const seen: Buffer[] = [];
  for await (const part of terminal.follow().stream) seen.push(part as Buffer);
  expect(Buffer.concat(seen).toString()).toBe('/dev/pts/0\r\n33\r\n');
  await terminal.exit;
  terminal.dispose();
});

test('another container’s namespaces can be joined, and its /dev/shm shared', async () => {
  const first = await start(['sh', '-c', 'echo first > /dev/shm/note; exec sleep 1000']);
  while ((await outcome(await execute(first, ['cat', '/dev/shm/note']))).stdout !== 'first\n');
  const path = (type: string) => `/proc/${first.pid}/ns/${type}`;
  const second = world.launchable(
    ['sh', '-c', 'cat /dev/shm/note; ps -o pid,comm; ls /proc/self/ns -l | grep -o "[a-z]*:\\[.*"'],
    {
      linux: {
        namespaces: [
          { type: 'mount' },
          { type: 'cgroup' },
          { type: 'uts' },
          { type: 'network', path: path('net') },
          { type: 'ipc', path: path('ipc') },
          { type: 'pid', path: path('pid') },
        ],
      },
      spec: {
        mounts: testSpec('/', []).mounts.map((mount) =>
          mount.destination === '/dev/shm'
            ? {
                destination: '/dev/shm',
                type: 'bind',
                source: `/proc/${first.pid}/root/dev/shm`,
                options: ['rbind', 'rprivate'],
              }
            : mount,
        ),
      },
    },
  );
  const { stdout } = await outcome((await driver.start(second)).kept);
  expect(stdout).toMatch(/^first\n/);
  expect(stdout).toMatch(/\n +1 sleep\n/);
  const own = (await outcome(await execute(first, ['sh', '-c', 'ls /proc/self/ns -l | grep -o "[a-z]*:\\[.*"'])))
    .stdout;
  const shared = own.split('\n').filter((line) => line !== '' && stdout.includes(line));
  expect(new Set(shared.map((line) => line.split(':')[0]))).toEqual(new Set(['ipc', 'net', 'pid', 'time', 'user']));
});

test('a daemon that starts anew finds its containers, and an exec works in them', async () => {
  const container = world.launchable(['sh', '-c', 'echo before; sleep 1000']);
  const { kept } = await driver.start(container);
  started.push(kept);
  kept.release();
  const running = await driver.recover(container);
  if (running === null) throw new Error('not found again');
  started.splice(started.indexOf(kept), 1, running.kept);
  expect((await outcome(await execute(running, ['echo', 'here']))).stdout).toBe('here\n');
  await running.kept.signal(9);
  expect(await running.kept.exit).toEqual({ code: null, signal: 9 });
});

const PREFIX = 'OCI runtime create failed: unable to start container process: error during container init: ';
test.each([
  [['nothing-here'], 'exec: "nothing-here": executable file not found in $PATH'],
  [[''], 'exec: "": executable file not found in $PATH'],
  [['/nothing/here'], 'exec: "/nothing/here": stat /nothing/here: no such file or directory'],
  [['/etc/passwd/x'], 'exec: "/etc/passwd/x": stat /etc/passwd/x: not a directory'],
  [['/etc/passwd'], 'exec: "/etc/passwd": permission denied'],
  [['/tmp'], 'exec: "/tmp": is a directory'],
  [['/garbage'], 'exec /garbage: exec format error'],
])('a program that can’t be run is named: %s', async (args, wanted) => {
  writeFileSync(join(world.rootfs, 'garbage'), 'no program', { mode: 0o755 });
  const error = await driver.start(world.launchable(args)).catch((error: unknown) => error);
  expect((error as Error).message).toContain(`${PREFIX}${wanted}: unknown`);
  const running = await start(['sleep', '1000']);
  await expect(execute(running, args)).rejects.toThrow(
    `OCI runtime exec failed: exec failed: unable to start container process: ${wanted}: unknown`,
  );
});

test.each([
  [
    'a source that is not there',
    { mounts: [{ destination: '/x', type: 'bind', source: '/not/there', options: ['rbind'] }] },
    'error mounting "/not/there" to rootfs at "/x": no such file or directory',
  ],
  [
    'a directory on a file',
    { mounts: [{ destination: '/etc/passwd', type: 'bind', source: '/usr', options: ['rbind'] }] },
    'error mounting "/usr" to rootfs at "/etc/passwd": not a directory: Are you trying to mount a directory onto a file',
  ],
  [
    'something inside /proc',
    { mounts: [{ destination: '/proc/sys', type: 'bind', source: '/usr', options: ['rbind'] }] },
    '"/proc/sys" cannot be mounted because it is inside /proc',
  ],
  [
    'a working directory that is a file',
    { process: { cwd: '/etc/passwd' } },
    'chdir to cwd ("/etc/passwd") set in config.json failed: not a directory',
  ],
  [
    'a sysctl the kernel does not have',
    { linux: { sysctl: { 'net.not.there': '1' } } },
    'write sysctl key net.not.there: no such file or directory',
  ],
])('a container with %s is refused with a reason', async (_, change: Change, wanted) => {
  const error = await driver.start(world.launchable(['true'], change)).catch((error: unknown) => error);
  expect((error as Error).message).toContain(`${PREFIX}${wanted}`);
});

test('an exec in a container that ended says so', async () => {
  const running = await start(['true']);
  await running.kept.exit;
  await expect(execute(running, ['true'])).rejects.toThrow(/^container c+1?\w* is not running$/);
});
