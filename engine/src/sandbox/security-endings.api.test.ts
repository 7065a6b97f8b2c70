// What a hostile learner does to keep the engine waiting, or his sandbox from being removed: file systems that never answer,
// planted links and FIFOs, control groups that are hard to find.
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDaemon } from '../testing/daemon.ts';
import { requires } from '../testing/requires.ts';

requires('root', 'overlay', 'user-namespaces', 'idmapped-mounts', 'veth', 'nftables', 'seccomp-filter', 'loop');

let daemon: TestDaemon;
beforeAll(async () => {
  daemon = await TestDaemon.start();
});
afterAll(() => daemon.end());

const STUCK = readFileSync(join(import.meta.dirname, '../testing/stuck-fuse.py'), 'utf8');
const message = async (method: string, path: string, body?: unknown) =>
  ((await daemon.call(method, path, body)).body as { message?: string }).message ?? '';

/** Removes a sandbox, and looks for what is left of it: groups, keepers, the loop device of its disk. */
async function removed(id: string): Promise<void> {
  const { ino } = statSync(join(daemon.root, 'sandboxes', id, 'disk.img'));
  const loops = () => execFileSync('losetup', ['--noheadings', '--output', 'BACK-INO,BACK-FILE']).toString();
  expect(loops()).toMatch(new RegExp(`\\b${ino} `));
  await daemon.demand('DELETE', `/lab/sandboxes/${id}`);
  const groups = execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '4', '-type', 'd', '-name', id]).toString();
  expect(groups).toBe('');
  // The kernel lets go of a mount, and the engine of a keeper whose program could not be ended, a moment later.
  await expect.poll(loops, { timeout: 10_000 }).not.toMatch(new RegExp(`\\b${ino} +\\S+ .deleted`));
  const keepers = () => readdirSync(join(daemon.directory, 'run/keepers')).filter((name) => name.startsWith(id));
  await expect.poll(keepers, { timeout: 10_000 }).toEqual([]);
}

test('a FUSE file system that never answers keeps nobody waiting, and its users end with the sandbox', async () => {
  await daemon.sandbox('eve-fuse');
  await daemon.sandbox('ada');
  await daemon.demand('PUT', '/lab/sandboxes/eve-fuse/files', { path: '/root/stuck.py', text: STUCK, version: null });
  await daemon.run('eve-fuse', 'python3 /root/stuck.py /root/never');
  const asked = await Promise.all([
    message('GET', '/lab/sandboxes/eve-fuse/files?path=/root/never/file'),
    message('GET', '/lab/sandboxes/eve-fuse/files?path=/root/never/directory&list=true'),
    message('PUT', '/lab/sandboxes/eve-fuse/files', { path: '/root/never/file', text: 'x', version: null }),
    message('POST', '/lab/sandboxes/eve-fuse/exec', { argv: ['/bin/cat', '/root/never/file'], timeoutMs: 500 }),
    daemon.run('ada', 'cat /etc/hostname; echo well'),
  ]);
  expect(asked).toEqual([
    'Cannot open "/root/never/file": its file system does not answer',
    'Cannot list "/root/never/directory": its file system does not answer',
    'Cannot open "/root/never/file": its file system does not answer',
    'Cannot end "/bin/cat" in "eve-fuse": it waits for a file system that does not answer; it ends with the sandbox',
    expect.objectContaining({ stdout: expect.stringContaining('well') }),
  ]);
  const waits = await daemon.run('eve-fuse', 'kill -9 -1; ps -eo stat,args');
  expect(waits.stdout).toContain('stuck.py'); // the one that holds both ends can't be killed
  await removed('eve-fuse');
});

test('control groups too deep for a path, or with names that are no text, are trimmed and removed', async () => {
  await daemon.sandbox('eve-deep');
  const dig = `
import os
for top in [d + n for d in ['/sys/fs/cgroup/'] for n in ['memory', 'pids', 'unified', '.'] if os.path.exists(d + n + '/cgroup.procs')]:
    for name, levels in ((b'd' * 200, 60), (b'\\xff\\xfe\\n', 3)):
        os.chdir(top)
        made = 0
        try:
            for _ in range(levels):
                os.mkdir(name)
                os.chdir(name)
                made += 1
        except OSError:
            pass
        print(made)
`;
  const dug = await daemon.run('eve-deep', 'python3 -c "$DIG"', { env: { DIG: dig } });
  expect(dug.stdout).toMatch(/^(60|8|7|6)\n/);
  expect((await daemon.call('GET', '/lab/sandboxes/eve-deep/stats')).status).toBe(200);
  const { cgroup } = await daemon.demand<{ cgroup: string }>('GET', '/lab/ping');
  const deep = async () => (await daemon.run('eve-deep', 'ls -d /sys/fs/cgroup/memory/d* | wc -l')).stdout;
  // The engine bounds v1's groups, every few seconds; the kernel v2's.
  if (cgroup !== 'v2') await expect.poll(deep, { timeout: 30_000 }).toBe('0\n');
  await daemon.run('eve-deep', 'python3 -c "$DIG"', { env: { DIG: dig } });
  await removed('eve-deep');
});

test('what is planted where the engine looks does not lead or hold it', async () => {
  await daemon.sandbox('eve-plants');
  await daemon.run(
    'eve-plants',
    'cd /root; ln -s /proc/1/root/proc/1/environ environ; ln -s /proc/self/fd fds; mkfifo fifo; ln -s fifo to-fifo; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind(\'socket\')"; mkdir -p deep; ln -s deep/../deep deep/loop; ln -s /dev/ptmx terminal; ln -s /proc/kmsg kmsg; truncate -s 1T huge; rm -rf /lib-none',
  );
  const files = '/lab/sandboxes/eve-plants/files';
  const open = (path: string) => message('GET', `${files}?path=${path}`);
  expect(await open('/root/to-fifo')).toMatch(/no regular file/);
  expect(await open('/root/socket')).toMatch(/FIFO or a socket/);
  expect(await open('/root/huge')).toMatch(/larger than 1 MiB/);
  expect(await open('/root/kmsg')).toMatch(/permission denied/);
  expect(await open('/root/terminal')).toMatch(/no regular file/);
  expect(await open('/proc/self/mem')).toMatch(/^Cannot open/);
  const descriptors = await daemon.demand<{ name: string }[]>('GET', `${files}?path=/root/fds&list=true`);
  const contents = await Promise.all(descriptors.map(({ name }) => open(`/root/fds/${name}`)));
  expect(contents.join('\n')).not.toContain(daemon.directory);
  expect(await message('PUT', files, { path: '/root/fifo', text: 'x', version: null })).toMatch(/no regular file/);
  expect(await message('PUT', files, { path: '/root/deep', text: 'x', version: null })).toMatch(/a directory/);
  // The places that a terminal and a program need.
  await daemon.run('eve-plants', 'mkfifo /dev/trap; rm /dev/ptmx; ln -s /dev/trap /dev/ptmx');
  expect(await message('POST', '/lab/sandboxes/eve-plants/terminals', {})).not.toBe('');
  await daemon.run('eve-plants', 'rm /dev/ptmx; ln -s pts/ptmx /dev/ptmx; ln -sf /root/fifo /etc/profile');
  expect((await daemon.run('eve-plants', 'echo well')).stdout).toBe('well\n');
  await removed('eve-plants');
});
