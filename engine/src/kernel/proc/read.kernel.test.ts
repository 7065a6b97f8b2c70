import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { pidNamespaceShown } from './proc-mount.ts';
import { openProcess, parentNamespace, readActivity, statFd } from './read.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** Starts a command that prints "ready" when it is where it should be. */
async function start(command: string, args: string[]): Promise<ChildProcess & { pid: number }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (data: Buffer) => data.includes('ready') && resolve());
    child.once('exit', () => reject(new Error(`${command} ended early`)));
  });
  return child as ChildProcess & { pid: number };
}
const kill = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
const onlyChild = (pid: number) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
const inodeOf = (path: string) => Number(/\[(\d+)\]/.exec(readlinkSync(path))?.[1]);

describe('openProcess', () => {
  it('reads what the kernel says of a process in namespaces of its own', async () => {
    const unshare = await start('unshare', ['-Umpf', '--map-root-user', 'sh', '-c', 'echo ready; read x <&1; :']);
    const pid = onlyChild(unshare.pid);
    const view = openProcess(pid);
    expect(view?.stat()).toMatchObject({ pid, comm: 'sh', ppid: unshare.pid });
    expect(view?.status()?.nspid).toEqual([pid, 1]);
    expect(view?.argv()?.slice(0, 2)).toEqual(['sh', '-c']);
    expect(view?.uidMap()).toEqual([{ inside: 0, outside: 0, count: 1 }]);
    for (const link of ['pid', 'mnt', 'user', 'net'] as const)
      expect(view?.namespace(link)).toBe(inodeOf(`/proc/${pid}/ns/${link}`));
    const fd = view?.openNamespace('pid') ?? -1;
    const parent = parentNamespace(fd);
    expect(parent?.inode).toBe(inodeOf('/proc/self/ns/pid'));
    for (const each of [fd, parent?.fd ?? -1]) closeSync(each);
    const root = view?.openRoot() ?? -1;
    expect(statFd(root)?.inode).toBe(statSync('/').ino);
    closeSync(root);
    view?.close();
  });

  it('is never taken in by the end of a process', async () => {
    const child = await start('sh', ['-c', 'echo ready; read x <&1; :']);
    const view = openProcess(child.pid);
    const activity = view?.openActivity() ?? -1;
    expect(readActivity(activity)).toMatch(/^\d+ \d+ \d+\n$/);
    await kill(child);
    expect(view?.stat()).toBeNull();
    expect(view?.status()).toBeNull();
    expect(view?.argv()).toBeNull();
    expect(view?.namespace('pid')).toBeNull();
    expect(view?.openRoot()).toBeNull();
    expect(readActivity(activity)).toBeNull();
    expect(openProcess(child.pid)).toBeNull();
    closeSync(activity);
    view?.close();
  });

  it('sees that a process has run, and that it has slept', async () => {
    const child = await start('sh', ['-c', 'echo ready; trap "" USR1; while :; do read x <&1; done']);
    const view = openProcess(child.pid);
    const fd = view?.openActivity() ?? -1;
    let before = readActivity(fd);
    // It may still be on its way to sleep: wait until two looks agree.
    for (let same = 0; same < 3;) {
      await new Promise((later) => setTimeout(later, 20));
      const now = readActivity(fd);
      same = now === before ? same + 1 : 0;
      before = now;
    }
    process.kill(child.pid, 'SIGSTOP');
    process.kill(child.pid, 'SIGCONT');
    await new Promise((later) => setTimeout(later, 50));
    expect(readActivity(fd)).not.toBe(before);
    closeSync(fd);
    view?.close();
  });

  it('reads the beginning of an overlong command line only', async () => {
    const long = 'x'.repeat(100_000);
    const child = await start('sh', ['-c', 'echo ready; read x <&1; :', long]);
    const view = openProcess(child.pid);
    const argv = view?.argv() ?? [];
    expect(argv).toHaveLength(4);
    expect(argv[3]).toHaveLength(512);
    view?.close();
  });
});

describe('pidNamespaceShown', () => {
  const script = (body: string) => ['-Umpf', '--map-root-user', 'sh', '-c', `${body}; echo ready; read x <&1; :`];
  const shown = (pid: number, at: string) => {
    const view = openProcess(pid);
    const root = view?.openRoot() ?? -1;
    const found = (view?.mounts() ?? []).filter((mount) => mount.mountPoint === at);
    const result = found.map((mount) => pidNamespaceShown(root, mount));
    closeSync(root);
    view?.close();
    return result;
  };

  it('tells the namespace of each proc mount, whatever its device number', async () => {
    const unshare = await start(
      'unshare',
      script('mount -t tmpfs x /tmp; mkdir /tmp/a /tmp/b; mount -t proc p /tmp/a; mount -t proc p /tmp/b'),
    );
    const pid = onlyChild(unshare.pid);
    const own = inodeOf(`/proc/${pid}/ns/pid`);
    expect(shown(pid, '/tmp/a')).toEqual([own]);
    expect(shown(pid, '/tmp/b')).toEqual([own]);
  });

  it('says nothing of a mount that is hidden, partial, or has something mounted over its entry 1', async () => {
    const unshare = await start(
      'unshare',
      script(
        'mount -t tmpfs x /tmp; cd /tmp; mkdir a b c; mount -t proc p a; mount -t tmpfs x a; ' +
          'mount -t proc p c; mount --bind c/sys b; mount -t tmpfs x c/1/ns',
      ),
    );
    const pid = onlyChild(unshare.pid);
    expect(shown(pid, '/tmp/a')).toEqual([null, null]);
    expect(shown(pid, '/tmp/b')).toEqual([null]);
    expect(shown(pid, '/tmp/c')).toEqual([null]);
  });
});
