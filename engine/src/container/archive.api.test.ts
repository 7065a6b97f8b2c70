// The docker CLI copies into and out of containers that run and that don't, exports them and tells their changes. The
// containers are made here by hand; all below them is real.
import fastify, { type FastifyInstance } from 'fastify';
import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archiveRoutes } from '../api/docker/archive.ts';
import { readBodiesAsDockerDoes } from '../api/docker/routes.ts';
import { errorAnswer } from '../api/http-status.ts';
import { OverlayDriver } from '../image/overlay.ts';
import type { MountPoint } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import { requires } from '../testing/requires.ts';
import { busyboxFiles } from '../testing/test-image.ts';
import { archiveBackend } from './archive-verbs.ts';
import type { Container } from './container.ts';
import { RootfsAccesses } from './rootfs-access.ts';

requires('root', 'overlay');

const run = promisify(execFile);

let directory: string;
let driver: OverlayDriver;
let app: FastifyInstance;
let process1: ChildProcess | null = null;
let told: string[];
/** What the test changes of the container. */
let settings: { mounts: MountPoint[]; ReadonlyRootfs: boolean; User: string };

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'archive-'));
  mkdirSync(join(directory, 'volume'));
  driver = await OverlayDriver.open(join(directory, 'overlay'));
  await driver.createLayer('base', null, async ({ directory: at }) => {
    busyboxFiles(at);
    mkdirSync(join(at, 'data'));
    execFileSync(
      'sh',
      [
        '-euc',
        'ln -s /etc link; ln -s nowhere dangling; ln -s ../../../../etc/passwd up; chmod 2755 var; mkdir -m 700 private',
      ],
      { cwd: at },
    );
    await Promise.resolve();
  });
  await driver.createWritable('c1id', 'base');
  told = [];
  settings = { mounts: [], ReadonlyRootfs: false, User: '' };
  const container = (): Container => {
    const like = {
      id: 'c1id',
      name: 'c1',
      record: {
        mounts: settings.mounts,
        hostConfig: { ReadonlyRootfs: settings.ReadonlyRootfs },
        config: { User: settings.User },
        state: { status: 'running' },
      },
      running: process1 === null ? null : { pid: process1.pid },
      rootfs: driver.mountOf('c1id'),
      spec: () => Promise.resolve({ process: { user: { uid: 33, gid: 34 } } }),
    };
    return like as unknown as Container;
  };
  app = fastify();
  app.setErrorHandler((error, _request, reply) => {
    const { status, message } = errorAnswer(error);
    return reply.status(status).type('application/json').serializer(JSON.stringify).send({ message });
  });
  app.get('/_ping', (_request, reply) => reply.headers({ 'Api-Version': '1.50', Ostype: 'linux' }).send('OK'));
  const inner: FastifyInstance = app;
  await inner.register(
    (versioned, _options, done) => {
      readBodiesAsDockerDoes(versioned);
      archiveRoutes(
        versioned,
        archiveBackend({
          containers: {
            find: (name) => {
              if (name !== 'c1') throw new EngineError('not_found', `No such container: ${name}`);
              return container();
            },
            all: () => [container()],
          },
          graph: driver,
          accesses: new RootfsAccesses(join(directory, 'scratch'), () => ({})),
          publish: (_container, action) => told.push(action),
        }),
      );
      done();
    },
    { prefix: '/v1.50' },
  );
  await app.listen({ path: join(directory, 'docker.sock') });
});

afterEach(async () => {
  await app.close();
  if (process1?.exitCode === null) {
    process1.kill('SIGKILL');
    await once(process1, 'exit');
  }
  process1 = null;
  const mounted = readFileSync('/proc/self/mountinfo', 'utf8').includes(directory);
  rmSync(directory, { recursive: true, force: true });
  expect(mounted).toBe(false);
});

/** A process that has the container's root file system as its root, in a mount namespace of its own. */
async function start(volume = true): Promise<void> {
  const mount = driver.mountOf('c1id');
  if (mount.kind !== 'overlay' || mount.writable === undefined) throw new Error('no overlay');
  const root = join(directory, 'root');
  mkdirSync(root, { recursive: true });
  const options = [
    `lowerdir=${mount.lower.join(':')}`,
    `upperdir=${mount.writable.upper}`,
    `workdir=${mount.writable.work}`,
    ...mount.options,
  ];
  const script = `
    mount -t overlay -o ${options.join(',')} overlay ${root}
    ${volume ? `mount --bind ${directory}/volume ${root}/data` : ''}
    mount -t proc proc ${root}/proc
    exec chroot ${root} /bin/sh -c 'echo ready; exec sleep 1000'`;
  process1 = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-euc', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(process1.stdout as NodeJS.ReadableStream, 'data');
}

const docker = async (...words: string[]): Promise<string> => {
  const { stdout } = await run('docker', words, {
    cwd: directory,
    env: { ...process.env, DOCKER_HOST: `unix://${directory}/docker.sock`, DOCKER_CONFIG: directory },
    maxBuffer: 1 << 28,
    encoding: 'latin1',
  });
  return stdout;
};

const volumeAt = (Destination: string, RW = true): MountPoint => ({
  Type: 'volume',
  Source: join(directory, 'volume'),
  Destination,
  Mode: '',
  RW,
  Propagation: '',
});

describe.each(['at rest', 'running'])('a container %s', (state) => {
  beforeEach(async () => {
    settings.mounts = [volumeAt('/data')];
    if (state === 'running') await start();
  });

  test('files go in and come out, into directories, under new names, through links', async () => {
    writeFileSync(join(directory, 'file'), 'from the host', { mode: 0o640 });
    await docker('cp', 'file', 'c1:/root/new-name');
    await docker('cp', 'file', 'c1:/link/');
    await docker('cp', 'c1:/root/new-name', 'back');
    await docker('cp', 'c1:/etc/file', 'back2');
    expect([readFileSync(join(directory, 'back'), 'utf8'), readFileSync(join(directory, 'back2'), 'utf8')]).toEqual([
      'from the host',
      'from the host',
    ]);
    expect(statSync(join(directory, 'back')).mode & 0o777).toBe(0o640);
    expect(told).toEqual(expect.arrayContaining(['extract-to-dir', 'archive-path']));
  });

  test('directories go as a whole, or their content alone', async () => {
    mkdirSync(join(directory, 'tree/sub'), { recursive: true });
    writeFileSync(join(directory, 'tree/sub/a'), 'A');
    await docker('cp', 'tree', 'c1:/root');
    await docker('cp', 'tree/.', 'c1:/private');
    await docker('cp', 'tree', 'c1:/root/renamed');
    mkdirSync(join(directory, 'out'));
    await docker('cp', 'c1:/root', 'out');
    await docker('cp', 'c1:/private/.', 'out');
    expect(
      execFileSync('sh', ['-euc', 'find out | sort'], { cwd: directory, encoding: 'utf8' }).trim().split('\n'),
    ).toEqual([
      'out',
      'out/root',
      'out/root/renamed',
      'out/root/renamed/sub',
      'out/root/renamed/sub/a',
      'out/root/tree',
      'out/root/tree/sub',
      'out/root/tree/sub/a',
      'out/sub',
      'out/sub/a',
    ]);
  });

  test('a volume lies over the root file system', async () => {
    writeFileSync(join(directory, 'volume/inside'), 'kept on the host');
    expect(await docker('cp', 'c1:/data/inside', '-')).toContain('kept on the host');
    writeFileSync(join(directory, 'file'), 'to the volume');
    await docker('cp', 'file', 'c1:/data/new');
    expect(readFileSync(join(directory, 'volume/new'), 'utf8')).toBe('to the volume');
    expect(await docker('diff', 'c1')).not.toContain('new');
  });

  test('a tar stream goes in and comes out', async () => {
    execFileSync('sh', ['-euc', 'mkdir t; echo hello > t/x; tar -czf in.tgz -C t x'], { cwd: directory });
    await run('sh', ['-c', `docker cp - c1:/root < in.tgz`], {
      cwd: directory,
      env: { ...process.env, DOCKER_HOST: `unix://${directory}/docker.sock`, DOCKER_CONFIG: directory },
    });
    const names = execFileSync('tar', ['-tf', '-'], {
      input: Buffer.from(await docker('cp', 'c1:/root', '-'), 'latin1'),
      encoding: 'utf8',
    });
    expect(names).toBe('root/\nroot/x\n');
    const root = execFileSync('tar', ['-Ptf', '-'], {
      input: Buffer.from(await docker('cp', 'c1:/var/www', '-'), 'latin1'),
      encoding: 'utf8',
    });
    expect(root).toBe('www/\n');
  });

  test('links stay links, or are followed, and never lead to the host', async () => {
    writeFileSync(join(directory, 'passwd-of-host'), readFileSync('/etc/passwd'));
    await docker('cp', 'c1:/link', 'link-itself');
    await docker('cp', '-L', 'c1:/up', 'followed');
    expect(readFileSync(join(directory, 'followed'), 'utf8')).toBe(
      readFileSync(
        join(directory, 'overlay/l', readdirSync(join(directory, 'overlay/l'))[0] as string, 'etc/passwd'),
        'utf8',
      ),
    );
    const head = await fetchStat('/up');
    expect(head).toMatchObject({ name: 'up', linkTarget: '/etc/passwd', mode: 0o777 + 2 ** 27 });
    expect(await fetchStat('/dangling')).toMatchObject({ linkTarget: '/nowhere' });
    expect(await fetchStat('/link/')).toMatchObject({ name: 'link', linkTarget: '', mode: 0o755 + 2 ** 31 });
    expect(await fetchStat('/var')).toMatchObject({ mode: 0o755 + 2 ** 31 + 2 ** 22 });
  });

  test('what is missing, of another type, or nobody’s is told in Docker’s words', async () => {
    writeFileSync(join(directory, 'file'), 'x');
    mkdirSync(join(directory, 'passwd'));
    await expect(docker('cp', 'c1:/no/such', '.')).rejects.toThrow('Could not find the file /no/such in container c1');
    await expect(docker('cp', 'file', 'c1:/no/such/file')).rejects.toThrow(
      'Could not find the file /no/such in container c1',
    );
    await expect(docker('cp', 'file', 'c2:/x')).rejects.toThrow('No such container: c2');
    await expect(docker('cp', 'passwd', 'c1:/etc')).rejects.toThrow(
      'cannot overwrite non-directory "/etc/passwd" with directory "/etc"',
    );
    const answer = await app.inject({
      method: 'PUT',
      url: '/v1.50/containers/c1/archive?path=/etc/passwd',
      payload: 'x',
      headers: { 'content-type': 'application/x-tar' },
    });
    expect([answer.statusCode, answer.json()]).toEqual([400, { message: 'extraction point is not a directory' }]);
  });

  test('files keep their owners, or get the container’s user', async () => {
    execFileSync('sh', ['-euc', 'echo x > mine; chown 1234:5678 mine'], { cwd: directory });
    settings.User = 'www-data';
    await docker('cp', 'mine', 'c1:/root/kept');
    await docker('cp', '-a', 'mine', 'c1:/root/given');
    const owners = execFileSync('tar', ['--numeric-owner', '-tvf', '-'], {
      input: Buffer.from(await docker('cp', 'c1:/root', '-'), 'latin1'),
      encoding: 'utf8',
    });
    expect(owners).toMatch(/33\/34 .* root\/given\n.* 1234\/5678 .* root\/kept\n$/s);
  });

  test('nothing is written to what is read-only', async () => {
    writeFileSync(join(directory, 'file'), 'x');
    settings.ReadonlyRootfs = true;
    await expect(docker('cp', 'file', 'c1:/root')).rejects.toThrow('container rootfs is marked read-only');
    await docker('cp', 'file', 'c1:/data');
    settings.mounts = [volumeAt('/data', false)];
    await expect(docker('cp', 'file', 'c1:/data')).rejects.toThrow('mounted volume is marked read-only');
  });

  test('changes and export tell of the root file system, not of what is mounted in it', async () => {
    writeFileSync(join(directory, 'file'), 'x');
    writeFileSync(join(directory, 'volume/inside'), 'kept on the host');
    await docker('cp', 'file', 'c1:/root/new');
    expect(await docker('diff', 'c1')).toBe('C /root\nA /root/new\n');
    const names = execFileSync('tar', ['-tf', '-'], {
      input: Buffer.from(await docker('export', 'c1'), 'latin1'),
      encoding: 'utf8',
    }).split('\n');
    expect(names).toEqual(expect.arrayContaining(['bin/busybox', 'data/', 'root/new', 'proc/']));
    expect(names.filter((name) => /^(proc|data)\/./.test(name))).toEqual([]);
  });

  test('a large file goes both ways, and a client that leaves early leaves nothing open', async () => {
    execFileSync('sh', ['-euc', 'head -c 30000000 /dev/urandom > big'], { cwd: directory });
    await docker('cp', 'big', 'c1:/root');
    await docker('cp', 'c1:/root/big', 'again');
    execFileSync('cmp', ['big', 'again'], { cwd: directory });
    const open = () => readdirSync('/proc/self/fd').length;
    const before = open();
    const cut = `docker cp c1:/root - 2>/dev/null | head -c 1000 > /dev/null`;
    await run('sh', ['-c', cut], {
      cwd: directory,
      env: { ...process.env, DOCKER_HOST: `unix://${directory}/docker.sock`, DOCKER_CONFIG: directory },
    });
    await expect.poll(open, { timeout: 10_000 }).toBeLessThanOrEqual(before);
  });
});

async function fetchStat(path: string): Promise<unknown> {
  const { headers } = await app.inject({
    method: 'HEAD',
    url: `/v1.50/containers/c1/archive?path=${encodeURIComponent(path)}`,
  });
  return JSON.parse(Buffer.from(headers['x-docker-container-path-stat'] as string, 'base64').toString());
}

test('a process that swaps directories for links while files come in never leads out', async () => {
  await start(false);
  const target = join(directory, 'host-target');
  mkdirSync(target);
  const swapper = spawn(
    'chroot',
    [
      `/proc/${process1?.pid}/root`,
      '/bin/sh',
      '-c',
      `mkdir -p /a/real; i=0; while :; do rm -rf /a/sub; ln -s ${target} /a/sub; rm -f /a/sub; mkdir /a/sub; done`,
    ],
    { stdio: 'ignore' },
  );
  try {
    execFileSync('sh', ['-euc', 'mkdir -p t/sub; for i in $(seq 50); do echo x > t/sub/$i; done'], { cwd: directory });
    for (let round = 0; round < 15; round += 1) await docker('cp', 't/.', 'c1:/a').catch(() => '');
    expect(readdirSync(target)).toEqual([]);
  } finally {
    swapper.kill('SIGKILL');
    await once(swapper, 'exit');
  }
});
