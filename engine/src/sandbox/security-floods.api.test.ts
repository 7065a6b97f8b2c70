// One learner takes all he can get of one thing after another; the other one goes on as if nothing were, and when the first
// is removed nothing of him is left. Nothing is timed: a terminal that does not echo any more is a test that hangs.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Stats } from '../api/lab/schemas.ts';
import { SYSCALL_TABLE } from '../model/syscall-table.ts';
import { TestDaemon, type Typed } from '../testing/daemon.ts';
import { requires } from '../testing/requires.ts';

requires('root', 'overlay', 'user-namespaces', 'idmapped-mounts', 'veth', 'nftables', 'seccomp-filter', 'loop');

let daemon: TestDaemon;
let victim: Typed;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  await daemon.sandbox('ada');
  victim = await daemon.attach('ada', (await daemon.terminal('ada')).id);
});
afterAll(() => daemon.end());

const MiB = 2 ** 20;
const stats = () => daemon.demand<Stats>('GET', '/lab/sandboxes/eve/stats');
let asked = 1000;

/** The daemon answers; the other learner runs programs, opens terminals and types as ever. */
async function unharmed(): Promise<void> {
  asked += 1;
  victim.socket.write(`echo sum $((${asked}*1000))\n`);
  await victim.until(new RegExp(`sum ${asked}000`));
  expect((await daemon.call('GET', '/lab/ping')).status).toBe(200);
  const work = 'sleep 0 & wait; ls / >/dev/null && unshare -Un true && echo x > /root/file && echo well';
  expect(await daemon.run('ada', work)).toMatchObject({ stdout: 'well\n', code: 0 });
  const inotify = SYSCALL_TABLE[process.arch === 'arm64' ? 'aarch64' : 'x86_64'].inotify_init1;
  expect((await daemon.run('ada', `perl -e 'exit(syscall(${inotify}, 0) < 0)'`)).code).toBe(0);
  const { id } = await daemon.terminal('ada', { argv: ['/bin/echo', 'a new terminal'] });
  await (await daemon.attach('ada', id)).until(/a new terminal/);
  await daemon.demand('DELETE', `/lab/sandboxes/ada/terminals/${id}`);
}

interface Flood {
  readonly what: string;
  readonly argv: readonly string[];
  readonly limits?: object;
  /** Resolves when all that can be had has been taken. */
  readonly taken: (typed: Typed) => Promise<unknown>;
}

const until = (pattern: RegExp) => (typed: Typed) => typed.until(pattern);
const oom = () => expect.poll(async () => (await stats()).oomKills, { timeout: 40_000 }).toBeGreaterThan(0);
const perl = (script: string) => ['/usr/bin/perl', '-e', script];
const python = (script: string) => ['/usr/bin/python3', '-c', script];
const shell = (script: string) => ['/bin/sh', '-c', script];

/** With as many descriptors as a learner may have. */
const files = (script: string) => ['/bin/bash', '-c', 'ulimit -n 4096; exec python3 -c "$0"', script];

const FLOODS: readonly Flood[] = [
  {
    what: 'processes, by a fork bomb',
    argv: perl('fork while 1'),
    taken: () => expect.poll(async () => (await stats()).pids, { timeout: 40_000 }).toBeGreaterThan(500),
  },
  {
    what: 'memory',
    argv: python('held = []\nwhile True: held.append(bytearray(1 << 24))'),
    taken: oom,
  },
  {
    what: 'memory by way of a tmpfs, which no killed process gives back',
    argv: shell('mount -t tmpfs -o size=4g none /mnt; cat /dev/zero > /mnt/fill; sleep 1000'),
    taken: async () => {
      await oom();
      expect((await stats()).memoryBytes).toBeGreaterThan(400 * MiB);
    },
  },
  {
    what: 'descriptors',
    argv: files(`
import os, time
for _ in range(5): os.fork()
count = 0
try:
    while True: os.open('/dev/null', os.O_RDONLY); count += 1
except OSError as error: print('at', count, error.errno, flush=True)
time.sleep(1000)
`),
    // EMFILE, in each of 32.
    taken: until(/(at 409\d 24\s+){32}/),
  },
  {
    what: 'terminals, by way of a devpts of his own',
    argv: files(`
import os, time
os.system('mkdir /tmp/pts; mount -t devpts none /tmp/pts')
count = 0
try:
    while True: os.open('/tmp/pts/ptmx', os.O_RDWR | os.O_NOCTTY); count += 1
except OSError as error: print('errno', error.errno, count, flush=True)
time.sleep(1000)
`),
    taken: until(/errno (24|28) \d{4}/),
  },
  {
    what: 'inotify instances',
    argv: perl(
      `my $n = 0; for my $child (1..8) { fork }
       for (1..200) { last if syscall(${SYSCALL_TABLE[process.arch === 'arm64' ? 'aarch64' : 'x86_64'].inotify_init1}, 0) < 0; }
       print "errno ", $! + 0, "\\n"; sleep 1000`,
    ),
    taken: until(/errno 24/),
  },
  {
    what: 'namespaces',
    argv: shell('for i in $(seq 90); do unshare -Un sleep 1000 & done; sleep 1; wait -n; echo refused; sleep 1000'),
    taken: until(/(No space left on device|refused)/),
  },
  {
    what: 'tracked connections, in a network of his own, and towards the host’s',
    argv: python(`
import socket, subprocess, time
def run(*args): subprocess.run(args, check=True)
def sent(to, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for port in range(1, count):
        try: sock.sendto(b'x', (to, port))
        except OSError: pass
gateway = subprocess.run(['ip', '-4', 'route', 'show', 'default'], capture_output=True, text=True).stdout.split()[2]
run('nft', 'add table ip t; add chain ip t out { type filter hook output priority 0; }; add rule ip t out ct state new counter')
for _ in range(8): sent('127.0.0.2', 65000)
print('tracked', open('/proc/sys/net/netfilter/nf_conntrack_count').read().strip(), flush=True)
for _ in range(2): sent(gateway, 65000)
print('sent to the host', flush=True)
time.sleep(1000)
`),
    taken: async (typed) => {
      await typed.until(/tracked [1-9]\d{4,}[\s\S]*sent to the host/);
      // What is refused before it is a connection takes no room in the host's own table.
      expect(Number(readFileSync('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8'))).toBeLessThan(5000);
    },
  },
  {
    what: 'control groups',
    argv: python(`
import glob, os, time
for procs in glob.glob('/sys/fs/cgroup/*/cgroup.procs') + glob.glob('/sys/fs/cgroup/cgroup.procs'):
    made = 0
    try:
        for number in range(1500): os.mkdir(os.path.dirname(procs) + '/flood-%d' % number); made += 1
    except OSError: pass
    print('made', made, flush=True)
print('all made', flush=True)
time.sleep(1000)
`),
    taken: until(/made \d{2,}[\s\S]*all made/),
  },
  {
    what: 'the disk',
    argv: shell(
      'cat /dev/zero > /root/fill; for i in $(seq 100000); do mkdir /tmp/$i || break; done; echo inodes; sleep 1000',
    ),
    limits: { diskBytes: 64 * MiB },
    taken: until(/No space left on device[\s\S]*inodes/),
  },
  {
    what: 'the terminal, with what it prints',
    argv: ['/usr/bin/yes', 'all work and no play'],
    taken: until(/(all work and no play\r\n){1000}/),
  },
];

test.each(FLOODS)('$what', async ({ argv, taken, limits = {} }) => {
  await daemon.sandbox('eve', { limits });
  const { id } = await daemon.terminal('eve', { argv: [...argv] });
  await taken(await daemon.attach('eve', id));
  await unharmed();
  await daemon.demand('DELETE', '/lab/sandboxes/eve');
  expect((await daemon.call('GET', '/lab/sandboxes/eve')).status).toBe(404);
  const groups = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '3', '-type', 'd', '-path', '*/drydock*/eve']);
  expect(groups.toString()).toBe('');
  await unharmed();
});
