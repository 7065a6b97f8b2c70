// What a hostile learner tries against the host from inside his sandbox: devices, kernel files, mounts, sockets, descriptors.
// Each list has things that work beside it, so that nothing is refused only because the tool for it is not there.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SYSCALL_TABLE, type Architecture, type SyscallName } from '../model/syscall-table.ts';
import { TestDaemon } from '../testing/daemon.ts';
import { requires } from '../testing/requires.ts';

requires('root', 'overlay', 'user-namespaces', 'idmapped-mounts', 'veth', 'nftables', 'seccomp-filter', 'loop');

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.sandbox('eve', { lessonFiles: { 'notes.txt': 'read me\n' } });
});
afterAll(() => daemon.end());

const architecture: Architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const number = (name: SyscallName) => SYSCALL_TABLE[architecture][name] ?? -1;

/** The attempts that ended well, each a shell script in a shell of its own. */
async function successes(attempts: readonly string[]): Promise<string[]> {
  const script = attempts
    .map((_, index) => `sh -c "$(printenv A${index})" >/dev/null 2>&1 && echo ${index}`)
    .join('\n');
  const env = Object.fromEntries(attempts.map((attempt, index) => [`A${index}`, attempt]));
  const { stdout } = await daemon.run('eve', `${script}\ntrue`, { env, timeoutMs: 30_000 });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((index) => attempts[Number(index)] ?? index);
}

test('devices, modules and the kernel’s own switches are out of reach', async () => {
  const works = [
    'mknod /tmp/fifo p',
    'mount -t tmpfs none /mnt && umount /mnt',
    `perl -e 'syscall(${number('getpid')}) > 0 or die'`,
  ];
  expect(await successes(works)).toEqual(works);
  const denied = [
    'mknod /tmp/node b 7 0',
    'mknod /tmp/node b 8 0',
    'mknod /tmp/node c 1 1',
    'mknod /dev/node c 10 237',
    'unshare -Ur mknod /tmp/node c 1 3',
    'mount -t ext4 /dev/loop0 /mnt',
    'mount -t devtmpfs none /mnt',
    'mount -t debugfs none /mnt',
    'mount -t tracefs none /mnt',
    'mount -t bpf none /mnt',
    'mount -t securityfs none /mnt',
    'mount -t fusectl none /mnt',
    'mount -t cgroup -o none,name=evil none /mnt',
    `perl -e 'exit(syscall(${number('init_module')}, "x", 1, "") < 0 && $! == 1)'`,
    `perl -e 'exit(syscall(${number('finit_module')}, 0, "", 0) < 0 && $! == 1)'`,
    'echo x > /proc/sys/kernel/core_pattern',
    'echo x > /proc/sys/kernel/modprobe',
    'echo 1 > /proc/sys/vm/drop_caches',
    'echo h > /proc/sysrq-trigger',
    'head -c 1 /proc/kcore',
    'head -c 1 /proc/kmsg',
    'head -c 1 /dev/kmsg',
    'head -c 1 /dev/mem',
    'dmesg',
    'date -s @0',
    'grep -v "^0* " /proc/kallsyms',
    'for file in $(find /sys/fs/cgroup -name release_agent); do echo x > $file && exit 0; done; exit 1',
    'for file in $(find /sys/fs/cgroup -name devices.allow); do echo a > $file && exit 0; done; exit 1',
    'echo max > /sys/fs/cgroup/pids/pids.max',
    'echo -1 > /sys/fs/cgroup/memory/memory.limit_in_bytes',
    'test -f /sys/fs/cgroup/memory.max && echo max > /sys/fs/cgroup/memory.max',
    'for file in $(find /sys/fs/cgroup -maxdepth 2 -name cgroup.kill); do echo 1 > $file && exit 0; done; exit 1',
  ];
  expect(await successes(denied)).toEqual([]);
});

/** security.md, "Tests that must stand": what a learner may write to. */
const WRITABLE = [
  /^\/proc\/(self|thread-self|\d+)\//,
  /^\/proc\/sys\/(net|user)\//,
  /^\/proc\/sys\/fs\/mqueue\//,
  /^\/proc\/sys\/kernel\/(auto_msgmni|msg\w+|sem\w*|shm\w+|pid_max|ns_last_pid)$/,
  /^\/proc\/pressure\//,
  /^\/sys\/devices\/virtual\/net\/eth0\//,
];

const OPEN_ALL = String.raw`
import os
for top in '/proc', '/sys':
    for place, below, files in os.walk(top):
        if place == '/proc':
            below[:] = [name for name in below if not name.isdigit() or name == '1']
        below[:] = [name for name in below if name != 'task' and place + '/' + name != '/sys/fs/cgroup']
        for name in files:
            try:
                os.close(os.open(place + '/' + name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_NOFOLLOW))
            except OSError:
                continue
            print(place + '/' + name)
`;

test('of all files in /proc and /sys, only the sandbox’s own open for writing', async () => {
  const { stdout, code } = await daemon.run('eve', 'python3 -c "$OPEN_ALL"', { env: { OPEN_ALL }, timeoutMs: 50_000 });
  expect(code).toBe(0);
  const opened = stdout.trim().split('\n');
  expect(opened).toContain('/proc/sys/net/ipv4/ip_forward');
  expect(opened).toContain('/proc/sys/kernel/pid_max');
  expect(opened.filter((path) => !WRITABLE.some((allowed) => allowed.test(path)))).toEqual([]);
});

test('mounts that the host made stay, whatever mount namespace is made above them', async () => {
  const places = ['/', '/dev', '/root', '/home', '/tmp', '/srv', '/lesson'];
  const each = places.flatMap((place) => [`umount ${place}`, `umount -l ${place}`, `mount --move ${place} /mnt`]);
  const attempts = [
    ...each,
    'mount -o remount,rw /lesson',
    'mount -o remount,bind,rw /lesson',
    'mount -o remount,bind,exec,suid /lesson',
    'mount -o remount,bind,dev /root',
    'mount -o remount,dev /',
    'mount -o bind /lesson /mnt && mount -o remount,bind,rw /mnt && echo x > /mnt/notes.txt',
    'echo x > /lesson/notes.txt',
  ];
  const everywhere = ['', 'unshare -m ', 'unshare -Urm '].flatMap((within) =>
    attempts.map((attempt) => `${within}sh -c '${attempt}'`),
  );
  expect(await successes(everywhere)).toEqual([]);
  const control = 'unshare -m sh -c "mount -t tmpfs none /mnt && umount /mnt"';
  expect(await successes([control])).toEqual([control]);
  expect((await daemon.run('eve', 'cat /lesson/notes.txt')).stdout).toBe('read me\n');
});

test('socket families with a history are refused, in a namespace of one’s own too', async () => {
  const families = `
import socket
for family, kind, protocol in (38, 5, 0), (40, 1, 0), (33, 2, 2), (15, 3, 2), (16, 3, 6), (2, 1, 0), (17, 3, 0):
    try:
        socket.socket(family, kind, protocol).close()
        print(family, 'opens')
    except OSError as error:
        print(family, error.errno)
`;
  const { stdout } = await daemon.run('eve', 'python3 -c "$S"; unshare -Urn python3 -c "$S"', { env: { S: families } });
  const once = '38 97\n40 97\n33 97\n15 97\n16 97\n2 opens\n17 opens\n';
  expect(stdout).toBe(once + once);
});

test('no descriptor of the host’s is in a program, a shell or init', async () => {
  const links = 'for fd in /proc/$$/fd/* /proc/1/fd/*; do readlink $fd; done';
  const program = (await daemon.run('eve', links)).stdout.trim().split('\n');
  expect(program.map((link) => link.replace(/\d+/, 'N'))).toEqual(['pipe:[N]', 'pipe:[N]', 'pipe:[N]']);
  const { id, tty } = await daemon.terminal('eve', { argv: ['/bin/sh'] });
  const shell = await daemon.attach('eve', id);
  shell.socket.write(`${links}; echo all-$((1+1))\n`);
  await shell.until(/all-2\r\n/);
  const lines = shell.text().split('\r\n');
  const shown = lines.filter((line) => /^(\/|pipe:|socket:|anon_inode:)/.test(line));
  // dash opens /dev/tty for job control.
  expect(shown.length).toBeGreaterThanOrEqual(3);
  expect(shown.filter((link) => link !== tty && link !== '/dev/tty')).toEqual([]);
  await daemon.demand('DELETE', `/lab/sandboxes/eve/terminals/${id}`);
});

test('a program that is the engine’s own launcher does no harm to it', async () => {
  await daemon.run('eve', 'printf "#!/proc/self/exe\\n" > /root/self; chmod +x /root/self');
  const again = await daemon.demand<{ code: number | null }>('POST', '/lab/sandboxes/eve/exec', {
    argv: ['/root/self'],
  });
  expect(again.code).not.toBe(0);
  expect((await daemon.run('eve', 'echo well')).stdout).toBe('well\n');
});

test('proc and sysfs name no path of the host and no other sandbox', async () => {
  await daemon.sandbox('neighbour-of-eve');
  const { stdout } = await daemon.run(
    'eve',
    'cat /proc/self/mountinfo /proc/self/mounts /proc/1/environ /proc/1/cmdline /proc/1/maps /proc/self/cgroup /proc/1/cgroup /proc/swaps /proc/net/unix /sys/block/*/loop/backing_file /proc/self/mountstats /proc/locks 2>/dev/null; readlink /proc/1/exe /proc/1/cwd /proc/1/root; ls /sys/fs/ext4; env',
  );
  expect(stdout).toContain('/dev/loop');
  for (const secret of [
    daemon.directory,
    '/var/lib/drydock',
    'neighbour-of-eve',
    'keepers',
    'node_modules',
    process.cwd(),
  ])
    expect(stdout).not.toContain(secret);
  await daemon.demand('DELETE', '/lab/sandboxes/neighbour-of-eve');
});
