// What containers have mounted, asked for in all the ways that Docker's own client has.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDaemon } from '../testing/daemon.ts';
import { busyboxImage } from '../testing/test-image.ts';

let daemon: TestDaemon;
let directory: string;
const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> =>
  (await run('docker', ['-H', `unix://${daemon.engineSocket}`, ...args])).stdout.trim();
const failure = (...args: string[]): Promise<string> =>
  docker(...args).then(
    (out) => Promise.reject(new Error(`it succeeded: ${out}`)),
    (error: { stderr: string }) => error.stderr.trim(),
  );
/** The output of a shell script in a new container of "box". */
const inside = (script: string, ...options: string[]) =>
  docker('run', '--rm', '--network', 'none', ...options, 'box', 'sh', '-c', script);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-mounts-api-'));
  daemon = await TestDaemon.start();
  const image = busyboxImage(
    {
      tag: 'box',
      config: { Volumes: { '/var/lib/data': {} } },
      files: { '/var/lib/data/seed': 'sown', '/srv/site/index': 'hello' },
    },
    directory,
  );
  await docker('load', '-i', image.dockerTar);
});
afterAll(async () => {
  await daemon.end();
  rmSync(directory, { recursive: true, force: true });
});

test('-v: a named volume takes the image’s data at first, and keeps what is written', async () => {
  expect(await inside('cat /srv/site/index; echo changed > /srv/site/index', '-v', 'site:/srv/site')).toBe('hello');
  await daemon.killAndRestart();
  expect(await inside('cat /srv/site/index', '-v', 'site:/srv/site:ro')).toBe('changed');
  expect(await inside('ls -A /srv/site', '-v', 'empty:/srv/site:nocopy')).toBe('');
  expect(
    await failure('run', '--rm', '--network', 'none', '-v', 'site:/srv/site:ro', 'box', 'touch', '/srv/site/x'),
  ).toContain('Read-only file system');
});

test('-v: host directories and files; one that lacks is made, but not by --mount', async () => {
  const host = join(directory, 'host');
  mkdirSync(host);
  writeFileSync(join(host, 'file'), 'from the host');
  expect(await inside('cat /h/file /one; echo back > /h/new', '-v', `${host}:/h`, '-v', `${host}/file:/one:ro`)).toBe(
    'from the hostfrom the host',
  );
  expect(readFileSync(join(host, 'new'), 'utf8')).toBe('back\n');
  await inside('true', '-v', `${host}/made/here:/x`);
  expect(existsSync(join(host, 'made/here'))).toBe(true);
  expect(await failure('create', '--mount', `type=bind,src=${host}/nope,dst=/x`, 'box')).toContain(
    `invalid mount config for type "bind": bind source path does not exist: ${host}/nope`,
  );
});

test('an image’s own volume is anonymous, and goes with its container', async () => {
  await docker('create', '--name', 'anon', 'box');
  const [point] = JSON.parse(await docker('inspect', '-f', '{{json .Mounts}}', 'anon'));
  expect(point).toMatchObject({ Type: 'volume', Destination: '/var/lib/data', Driver: 'local', RW: true });
  expect(point.Name).toMatch(/^[0-9a-f]{64}$/);
  expect(readFileSync(join(point.Source, 'seed'), 'utf8')).toBe('sown');
  expect(await failure('volume', 'rm', point.Name)).toMatch(/remove [0-9a-f]{64}: volume is in use - \[[0-9a-f]{64}\]/);
  await docker('rm', '-v', 'anon');
  expect(await failure('volume', 'inspect', point.Name)).toContain('no such volume');
});

test('--volumes-from shares what another has, read-only if asked', async () => {
  await docker('create', '--name', 'holder', '-v', 'shared:/shared', 'box');
  await inside('echo x > /shared/file', '--volumes-from', 'holder');
  expect(await inside('cat /shared/file; touch /shared/y 2>&1 || true', '--volumes-from', 'holder:ro')).toContain(
    'Read-only file system',
  );
  expect(await failure('create', '--volumes-from', 'holder:odd', 'box')).toContain('invalid mode: odd');
  await docker('rm', 'holder');
});

test('--mount: a subpath, a tmpfs with its options; --tmpfs', async () => {
  await inside('mkdir -p /v/a/b; echo deep > /v/a/b/f', '-v', 'tree:/v');
  expect(await inside('cat /x/f', '--mount', 'type=volume,src=tree,dst=/x,volume-subpath=a/b')).toBe('deep');
  const shown = await inside(
    'grep -E " /(t|u) " /proc/mounts',
    '--mount',
    'type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700',
    '--tmpfs',
    '/u:size=64k,exec',
  );
  expect(shown).toMatch(/tmpfs \/t tmpfs rw,nosuid,nodev,noexec,\S*size=1024k,mode=700/);
  expect(shown).toMatch(/tmpfs \/u tmpfs rw,nosuid,nodev,relatime\S*size=64k/);
  expect(await failure('create', '-v', 'tree:/x', '--tmpfs', '/x', 'box')).toContain('Duplicate mount point: /x');
});

test('a volume of a tmpfs is shared by those that run with it, and mounted no longer than that', async () => {
  await docker('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m', 'mem');
  const path = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', 'mem');
  const mounted = () => readFileSync('/proc/self/mounts', 'utf8').includes(` ${path} tmpfs `);
  await docker('run', '-d', '--name', 'mem1', '--network', 'none', '-v', 'mem:/m', 'box', 'sleep', '300');
  await docker('exec', 'mem1', 'touch', '/m/here');
  await daemon.killAndRestart();
  expect(await inside('ls /m', '-v', 'mem:/m')).toBe('here');
  expect(mounted()).toBe(true);
  await docker('rm', '-f', 'mem1');
  await expect.poll(mounted).toBe(false);
  await docker('volume', 'rm', 'mem');
});
