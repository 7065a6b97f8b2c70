// A real daemon and the docker CLI: cp, diff, export, commit of containers that really run, with each storage driver.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDaemon } from '../testing/daemon.ts';
import { requires } from '../testing/requires.ts';
import { type TestImage, busyboxImage } from '../testing/test-image.ts';

const able = requires('root', 'overlay');
const run = promisify(execFile);

describe.each(['overlay', 'vfs'])('--storage-driver %s', (driver) => {
  let daemon: TestDaemon;
  let image: TestImage;
  let directory: string;
  const docker = async (...words: string[]): Promise<string> => {
    const env = { ...process.env, DOCKER_HOST: `unix://${daemon.engineSocket}`, DOCKER_CONFIG: directory };
    return (await run('docker', words, { cwd: directory, env, encoding: 'latin1', maxBuffer: 1 << 27 })).stdout;
  };

  beforeAll(async () => {
    if (!able) return;
    directory = mkdtempSync(join(tmpdir(), 'container-files-'));
    image = busyboxImage({ files: { '/etc/motd': 'hello\n', '/srv/keep/me': 'x' } });
    daemon = await TestDaemon.start({ learners: false, flags: ['--storage-driver', driver] });
    await docker('load', '-i', image.dockerTar);
  });
  afterAll(async () => {
    if (!able) return;
    await daemon.end();
    image.remove();
    rmSync(directory, { recursive: true });
  });

  test('the driver is told', async () => {
    expect((await docker('info', '-f', '{{.Driver}}')).trim()).toBe(driver);
  });

  test('what a container did to its files is its diff; nothing of what the engine mounts is', async () => {
    await docker('run', '--name', 'plain', 'busybox', 'true');
    expect(await docker('diff', 'plain')).toBe('');
    await docker(
      'run',
      '--name',
      'busy',
      '-v',
      '/volume',
      'busybox',
      'sh',
      '-c',
      'rm /etc/motd; echo x > /srv/keep/me; mkdir /new; : > /volume/inside; echo 1 > /etc/other',
    );
    expect((await docker('diff', 'busy')).trim().split('\n')).toEqual([
      'C /etc',
      'D /etc/motd',
      'A /etc/other',
      'A /new',
      'C /srv',
      'C /srv/keep',
      'C /srv/keep/me',
      'A /volume',
    ]);
  });

  test('cp goes both ways, before the first start, while it runs, and after', async () => {
    writeFileSync(join(directory, 'file'), 'content');
    await docker(
      'create',
      '--name',
      'life',
      '-v',
      'named:/data',
      'busybox',
      'sh',
      '-c',
      'cat /root/early /data/early; sleep 1000',
    );
    await docker('cp', 'file', 'life:/root/early');
    await docker('cp', 'file', 'life:/data/early');
    await docker('start', 'life');
    await expect.poll(() => docker('logs', 'life'), { timeout: 20_000 }).toBe('contentcontent');
    expect(await docker('cp', 'life:/data', '-')).toContain('data/early');
    await docker('cp', 'file', 'life:/tmp/running');
    expect(await docker('exec', 'life', 'cat', '/tmp/running')).toBe('content');
    expect(await docker('cp', 'life:/etc/hostname', '-')).toContain(
      (await docker('inspect', '-f', '{{.Config.Hostname}}', 'life')).trim(),
    );
    expect(await docker('cp', 'life:/proc/self/root/etc/passwd', '-').catch((error: unknown) => String(error))).toMatch(
      /ELOOP|Could not find|symbolic links/,
    );
    await docker('kill', 'life');
    await docker('cp', 'life:/tmp/running', 'back');
    expect(readFileSync(join(directory, 'back'), 'utf8')).toBe('content');
    expect(await docker('cp', 'life:/data/early', '-')).toContain('content');
    expect(await docker('diff', 'life')).not.toMatch(/hosts|hostname|resolv/);
  });

  test('an export is the whole root file system, and imports again', async () => {
    const id = (
      await docker(
        'run',
        '-d',
        '-v',
        'other:/data',
        'busybox',
        'sh',
        '-c',
        'echo mine > /root/made; : > /data/not-there; sleep 1000',
      )
    ).trim();
    await expect.poll(() => docker('exec', id, 'ls', '/data'), { timeout: 20_000 }).toBe('not-there\n');
    await docker('export', '-o', 'tree.tar', id);
    const names = execFileSync('tar', ['-tf', 'tree.tar'], { cwd: directory, encoding: 'utf8' }).split('\n');
    expect(names).toEqual(expect.arrayContaining(['bin/busybox', 'data/', 'etc/motd', 'proc/', 'root/made']));
    expect(names.filter((name) => /^(proc|data|sys)\/./.test(name))).toEqual([]);
    await docker('import', 'tree.tar', 'again:1');
    expect(await docker('run', '--rm', 'again:1', '/bin/cat', '/root/made')).toBe('mine\n');
    await docker('rm', '-f', id);
  });

  test('a commit keeps what was changed and forgets what was deleted', async () => {
    await docker(
      'run',
      '--name',
      'worked',
      'busybox',
      'sh',
      '-c',
      'rm -r /srv/keep; echo new > /etc/motd; chown 12:34 /etc/motd; ln /etc/motd /etc/second; mkdir -m 1777 /srv/open',
    );
    await docker('commit', 'worked', 'committed:1');
    expect(
      await docker(
        'run',
        '--rm',
        'committed:1',
        'sh',
        '-c',
        'cat /etc/second; stat -c "%u:%g %h" /etc/motd; stat -c %a /srv/open; ls /srv',
      ),
    ).toBe('new\n12:34 2\n1777\nopen\n');
  });

  test('nothing is left mounted on the host', () => {
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(daemon.root);
  });
});
