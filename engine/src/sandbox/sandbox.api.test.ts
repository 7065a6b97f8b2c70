// A learner's sandbox through lab.sock, on the real kernel: what it is, what it keeps, and what survives whom.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecResult, Sandbox, SandboxFile, Stats, Terminal } from '../api/lab/schemas.ts';
import { instanceOf } from '../instance.ts';
import { detectCgroups } from '../kernel/cgroup/detect.ts';
import { readIfThere } from '../kernel/atomic-file.ts';
import { NAMESPACE_TYPES } from '../model/namespace.ts';
import { TestDaemon } from '../testing/daemon.ts';
import { requires } from '../testing/requires.ts';

requires('root', 'overlay', 'user-namespaces', 'idmapped-mounts', 'veth', 'nftables', 'seccomp-filter', 'loop');

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.end());

/** Kernel objects of this daemon on the host: others' come and go meanwhile. */
function hostObjects(diskInode: number): string[] {
  const { id } = instanceOf({ DRYDOCK_ROOT: daemon.root, DRYDOCK_RUN: join(daemon.directory, 'run') });
  const said = (command: string, ...args: string[]) => execFileSync(command, args).toString().split('\n');
  const { hierarchies, unified } = detectCgroups();
  const groups = [...hierarchies.map(({ mountPoint }) => mountPoint), unified ?? '/sys/fs/cgroup']
    .map((tree) => join(tree, `drydock-${id}`, 'wren'))
    .filter((path) => existsSync(path));
  const links = said('ip', '-o', 'link').map((line) => line.split(':')[1] ?? '');
  const loops = said('losetup', '--list', '--noheadings', '--output', 'NAME,BACK-INO');
  const slots = readdirSync('/var/lib/drydock-slots').map((name) => {
    const owner = readIfThere(join('/var/lib/drydock-slots', name));
    return `slot ${name} of ${owner}`;
  });
  const keepers = readdirSync(join(daemon.directory, 'run/keepers'));
  return [
    ...groups,
    ...links.filter((link) => link.includes(id)),
    ...loops.filter((line) => line.trim().endsWith(` ${diskInode}`)),
    ...slots.filter((slot) => slot.includes(`${daemon.root}/sandboxes/wren`)),
    ...keepers.filter((name) => name.startsWith('wren')),
    ...readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(daemon.directory)),
  ];
}

test('Docker’s clients find an engine at engine.sock, and only there', async () => {
  const docker = new Docker({ socketPath: daemon.engineSocket });
  expect((await docker.ping()).toString()).toBe('OK');
  const version = await docker.version();
  expect([version.ApiVersion, version.MinAPIVersion, version.Os]).toEqual(['1.50', '1.24', 'linux']);
  const info = (await docker.info()) as { ServerVersion: string; MemTotal: number; Containers: number };
  expect(info.ServerVersion).toBe(version.Version);
  expect(info.MemTotal).toBeGreaterThan(2 ** 28);
  expect((await daemon.call('GET', '/version')).status).toBe(404);
  expect(statSync(daemon.engineSocket).mode & 0o777).toBe(0o600);
  expect(statSync(daemon.labSocket).mode & 0o777).toBe(0o660);
});

test('all eight namespaces are its own, and its ids are its own range', async () => {
  await daemon.sandbox('ada');
  const { stdout } = await daemon.run(
    'ada',
    'readlink /proc/self/ns/*; cat /proc/self/uid_map; id -u; hostname; cat /proc/1/comm',
  );
  for (const type of NAMESPACE_TYPES) {
    const own = new RegExp(`${type}:\\[\\d+\\]`).exec(stdout)?.[0];
    expect(own).toBeDefined();
    expect(own).not.toBe(readlinkSync(`/proc/self/ns/${type}`));
  }
  expect(stdout).toMatch(/^ +0 +0 +65536\n0\ndock\ninit\n$/m);
});

test('what one learner’s namespaces may add up to is bounded, and the learner can’t lift the bound', async () => {
  await daemon.sandbox('many');
  await daemon.run('many', 'echo 1000 > /proc/sys/user/max_user_namespaces');
  const made = await daemon.run('many', 'for i in $(seq 80); do unshare -U sleep 20 & done; sleep 1; pgrep -c sleep');
  expect(Number(made.stdout)).toBeGreaterThan(50);
  expect(Number(made.stdout)).toBeLessThan(64);
  await daemon.demand('DELETE', '/lab/sandboxes/many');
});

test('proc is unmasked, the usual primitives work inside, nothing of the host is in sight', async () => {
  await daemon.sandbox('lesson', { lessonFiles: { 'notes.txt': 'read me\n' } });
  const lesson = await daemon.run('lesson', 'cat /lesson/notes.txt; echo x > /lesson/notes.txt; umount /lesson');
  expect([lesson.stdout, lesson.code]).toEqual(['read me\n', 32]);
  expect(lesson.stderr).toContain('Read-only file system');
  await daemon.demand('DELETE', '/lab/sandboxes/lesson');
  await daemon.sandbox('ada');
  const tries = {
    'a nested container':
      'unshare -Upfmn --map-root-user --mount-proc sh -c "echo $$; ip -br link; mount -t tmpfs x /mnt"',
    'an overlay':
      'cd /root && mkdir -p l u w m && mount -t overlay -o lowerdir=l,upperdir=u,workdir=w,userxattr o m && touch m/x && ls u/x',
    'a cgroup': 'cd /sys/fs/cgroup; d=$(ls -d memory unified . 2>/dev/null | head -1); mkdir $d/mine && rmdir $d/mine',
    'a bridge and nft': 'ip link add name br9 type bridge && nft add table t && nft list tables',
    'strace and ping': 'strace -c true && ping -c1 -W2 127.0.0.1',
    'su and mqueue': 'su -s /bin/sh nobody -c id && ls /dev/mqueue /dev/shm',
  };
  for (const [what, script] of Object.entries(tries)) {
    const { code, stderr, stdout } = await daemon.run('ada', script);
    expect([what, code, stderr, stdout], what).toEqual([what, 0, expect.anything(), expect.anything()]);
  }
  const { stdout } = await daemon.run('ada', 'cat /proc/self/mountinfo; ls /proc | grep -c "^[0-9]"');
  expect(stdout).not.toContain(daemon.directory);
  expect(stdout).not.toContain('/var/lib/drydock');
});

test('a terminal is on the sandbox’s own devpts, takes typing and sizes, and can be read again from any offset', async () => {
  await daemon.sandbox('ada');
  const terminal = await daemon.terminal('ada', { cols: 100, rows: 30 });
  const one = await daemon.attach('ada', terminal.id);
  one.socket.write('tty; stty size; echo "sum $((20+22))"\n');
  await one.until(/sum 42/);
  expect(one.text()).toMatch(new RegExp(`${terminal.tty}\r\n30 100\r\n`));
  await daemon.demand('POST', `/lab/sandboxes/ada/terminals/${terminal.id}/size`, { cols: 61, rows: 17 });
  one.socket.write('stty size\n');
  await one.until(/17 61\r\n/);
  one.socket.destroy();
  const whole = await daemon.attach('ada', terminal.id, 0);
  await whole.until(/17 61\r\n/);
  expect(whole.text()).toContain('sum 42');
  const { writtenBytes } = await daemon.demand<Terminal>('GET', `/lab/sandboxes/ada/terminals/${terminal.id}`);
  const late = await daemon.attach('ada', terminal.id, writtenBytes);
  expect(late.offset).toBe(writtenBytes);
  late.socket.write('exit 7\n');
  await new Promise((resolve) => late.socket.once('close', resolve));
  const ended = await daemon.demand<Terminal>('GET', `/lab/sandboxes/ada/terminals/${terminal.id}`);
  expect(ended).toMatchObject({ pid: null, exit: { code: 7, signal: null } });
  await daemon.demand('DELETE', `/lab/sandboxes/ada/terminals/${terminal.id}`);
  expect((await daemon.call('GET', `/lab/sandboxes/ada/terminals/${terminal.id}`)).status).toBe(404);
});

test('a daemon killed with SIGKILL loses no sandbox, no output and no exit code', async () => {
  await daemon.sandbox('kit');
  const [works, ends] = [await daemon.terminal('kit'), await daemon.terminal('kit')];
  const before = await daemon.attach('kit', works.id);
  before.socket.write('echo pid $$; for i in 1 2 3 4 5 6; do echo tick $i; sleep 0.5; done; echo done-ticking\n');
  const [, shell] = await before.until(/pid (\d+)[\s\S]*tick 1/);
  const other = await daemon.attach('kit', ends.id);
  other.socket.write('sleep 1; exit 42\n');
  await other.until(/sleep 1/);
  await daemon.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 1_500)); // the second shell ends while nobody watches
  await daemon.start();
  expect(await daemon.demand<Sandbox>('GET', '/lab/sandboxes/kit')).toMatchObject({ state: 'running' });
  const after = await daemon.attach('kit', works.id, 0);
  await after.until(/done-ticking\r\n[\s\S]*tick 6[\s\S]*done-ticking|tick 6\r\ndone-ticking/);
  for (const tick of [1, 2, 3, 4, 5, 6]) expect(after.text()).toContain(`tick ${tick}\r\n`);
  after.socket.write('echo still $$\n');
  await after.until(new RegExp(`still ${shell}\r`));
  expect(await daemon.demand<Terminal>('GET', `/lab/sandboxes/kit/terminals/${ends.id}`)).toMatchObject({
    exit: { code: 42, signal: null },
  });
});

test('stop keeps the files, reset does not; frozen processes stand still', async () => {
  await daemon.sandbox('ada');
  await daemon.run(
    'ada',
    'echo kept > /root/mine; echo kept > /etc/mine; (while :; do date +%s%N > /root/clock; done) &',
    { timeoutMs: 3_000 },
  );
  await daemon.demand('POST', '/lab/sandboxes/ada/freeze');
  expect((await daemon.call('POST', '/lab/sandboxes/ada/exec', { argv: ['/bin/true'] })).status).toBe(409);
  const stats = async () => (await daemon.demand<Stats>('GET', '/lab/sandboxes/ada/stats')).cpuUsageUs;
  const [one] = [await stats(), await new Promise((resolve) => setTimeout(resolve, 300))];
  expect(await stats()).toBe(one);
  await daemon.demand('POST', '/lab/sandboxes/ada/thaw');
  expect(await daemon.demand<Sandbox>('POST', '/lab/sandboxes/ada/stop')).toMatchObject({ state: 'stopped' });
  await daemon.demand('POST', '/lab/sandboxes/ada/start');
  expect((await daemon.run('ada', 'cat /root/mine /etc/mine; ps -e | wc -l')).stdout).toMatch(/^kept\nkept\n/);
  await daemon.demand('POST', '/lab/sandboxes/ada/reset');
  expect((await daemon.run('ada', 'ls /root /etc/mine')).stderr).toContain('No such file');
});

test('files are read and saved with the learner’s rights and view; hostile ones are refused with a sentence', async () => {
  await daemon.sandbox('ada');
  const files = '/lab/sandboxes/ada/files';
  const saved = await daemon.demand<SandboxFile>('PUT', files, {
    path: '/root/a.sh',
    text: 'echo 你好\n',
    version: null,
  });
  expect((await daemon.run('ada', 'sh /root/a.sh; stat -c %u /root/a.sh')).stdout).toBe('你好\n0\n');
  const stale = await daemon.call('PUT', files, { path: '/root/a.sh', text: 'x', version: null });
  expect([stale.status, stale.body]).toEqual([
    409,
    expect.objectContaining({ message: expect.stringContaining('was changed since it was opened') }),
  ]);
  await daemon.demand('PUT', files, { path: '/root/a.sh', text: '', version: saved.version });
  expect(await daemon.demand<SandboxFile>('GET', `${files}?path=/root/a.sh`)).toMatchObject({ text: '' });

  await daemon.run(
    'ada',
    'cd /root; mkfifo fifo; ln -s /etc/shadow out; ln -s /proc/1/root/etc/hostname up; ln -s loop loop; truncate -s 3G big; printf "\\377\\376" > bin; mkdir dir',
  );
  const refused = async (path: string) =>
    ((await daemon.call('GET', `${files}?path=${path}`)).body as { message: string }).message;
  expect(await refused('/root/fifo')).toMatch(/no regular file/);
  expect(await refused('/root/loop')).toMatch(/too many symbolic links/);
  expect(await refused('/root/big')).toMatch(/larger than 1 MiB/);
  expect(await refused('/root/bin')).toMatch(/not UTF-8/);
  expect(await refused('/root/dir')).toMatch(/a directory/);
  expect(await refused('/dev/zero')).toMatch(/no regular file/);
  // A link leads to the sandbox's own files, never to the host's.
  const shadow = await daemon.demand<SandboxFile>('GET', `${files}?path=/root/out`);
  expect(shadow.text).not.toBe(readFileSync('/etc/shadow', 'utf8'));
  const listed = await daemon.demand<{ name: string; type: string }[]>('GET', `${files}?path=/root&list=true`);
  expect(listed).toContainEqual({ name: 'dir', type: 'directory' });
  expect(listed).toContainEqual({ name: 'out', type: 'symlink' });
});

test('a full disk refuses a save and keeps the old content', async () => {
  await daemon.sandbox('small', { limits: { diskBytes: 64 * 2 ** 20 } });
  const files = '/lab/sandboxes/small/files';
  const { version } = await daemon.demand<SandboxFile>('PUT', files, {
    path: '/root/a',
    text: 'precious',
    version: null,
  });
  await daemon.run('small', 'cat /dev/zero > /root/fill; sync');
  const refused = await daemon.call('PUT', files, { path: '/root/a', text: 'x'.repeat(2 ** 20), version });
  expect([refused.status, (refused.body as { message: string }).message]).toEqual([
    409,
    expect.stringContaining('the disk is full'),
  ]);
  expect(await daemon.demand<SandboxFile>('GET', `${files}?path=/root/a`)).toMatchObject({ text: 'precious' });
});

test('programs are bounded in time and output, and what can’t run says why', async () => {
  await daemon.sandbox('ada');
  const slow = await daemon.run('ada', 'echo begun; sleep 60', { timeoutMs: 500 });
  expect(slow).toMatchObject({ timedOut: true, signal: 9, stdout: 'begun\n' } satisfies Partial<ExecResult>);
  const loud = await daemon.run('ada', 'yes | head -c 3000000; echo oops >&2; exit 5');
  expect([loud.truncated, loud.stdout.length, loud.stderr, loud.code]).toEqual([true, 2 ** 20, 'oops\n', 5]);
  const absent = await daemon.call('POST', '/lab/sandboxes/ada/exec', { argv: ['/bin/nothing'] });
  expect([absent.status, (absent.body as { message: string }).message]).toEqual([
    404,
    'Cannot run "/bin/nothing" in "ada": ENOENT',
  ]);
});

test('the lab routes describe themselves', async () => {
  const document = await daemon.demand<{ paths: object }>('GET', '/lab/openapi.json');
  expect(Object.keys(document.paths)).toContain('/lab/sandboxes/{id}/observe');
});

test('a removed sandbox leaves nothing on the host', async () => {
  const linksBefore = hostObjects(0);
  await daemon.sandbox('wren');
  await daemon.terminal('wren');
  const { ino } = statSync(join(daemon.root, 'sandboxes/wren/disk.img'));
  const kinds = hostObjects(ino).filter((object) => !linksBefore.includes(object));
  expect(kinds.some((object) => object.startsWith('/sys/fs/cgroup'))).toBe(true);
  expect(kinds.some((object) => object.includes('/dev/loop'))).toBe(true);
  expect(kinds.some((object) => object.startsWith('slot '))).toBe(true);
  expect(kinds.some((object) => object === 'wren')).toBe(true);
  await daemon.demand('DELETE', '/lab/sandboxes/wren');
  expect(hostObjects(ino)).toEqual(linksBefore);
  expect((await daemon.call('GET', '/lab/sandboxes/wren')).status).toBe(404);
});
