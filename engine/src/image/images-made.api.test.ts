// Images made here, by Docker's own client: import, commit, what a container holds back; and what takes how much of the disk.
import { execFile, execFileSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { shortId } from '../model/digest.ts';
import { TestDaemon } from '../testing/daemon.ts';
import { busyboxImage, type TestImage } from '../testing/test-image.ts';

let daemon: TestDaemon;
let directory: string;
let image: TestImage;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-images-made-'));
  image = busyboxImage({ tag: 'box:1', config: { Env: ['A=b'] } }, directory);
  daemon = await TestDaemon.start();
});
afterAll(async () => {
  await daemon.end();
  rmSync(directory, { recursive: true, force: true });
});

const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> =>
  (await run('docker', ['-H', `unix://${daemon.engineSocket}`, ...args])).stdout.trim();
const failure = (...args: string[]): Promise<string> =>
  docker(...args).then(
    (out) => Promise.reject(new Error(`it succeeded: ${out}`)),
    (error: { stderr: string }) => error.stderr.trim(),
  );
const inspected = async (name: string) => JSON.parse(await docker('image', 'inspect', name))[0];

beforeEach(async () => {
  const containers = await docker('ps', '-aq');
  if (containers !== '') await docker('rm', '-f', ...containers.split('\n'));
  await docker('image', 'prune', '-af');
  await docker('load', '-i', image.dockerTar);
});

test('import: a root file system, changes, a message; from a file and from a URL', async () => {
  const id = await docker('import', '-m', 'mine', '-c', 'CMD ["id"]', '-c', 'ENV X=y', image.rootfsTar, 'imported:v1');
  expect(await inspected('imported:v1')).toMatchObject({
    Id: id,
    Comment: 'mine',
    Config: { Cmd: ['id'], Env: ['X=y'] },
    RootFS: { Layers: [image.diffIds[0]] },
  });
  const archive = readFileSync(image.rootfsTar);
  const server: Server = createServer((request, answer) => {
    answer.statusCode = request.url === '/rootfs.tar' ? 200 : 404;
    answer.end(request.url === '/rootfs.tar' ? archive : '');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const told = await docker('import', `${url}/rootfs.tar`, 'web');
    expect(told).toContain(`Downloading from ${url}/rootfs.tar`);
    expect((await inspected('web')).RootFS.Layers).toEqual([image.diffIds[0]]);
    expect(await failure('import', `${url}/other`, 'x')).toContain('the server answered 404');
  } finally {
    server.close();
  }
  expect(await failure('import', '-c', 'FROM x', image.rootfsTar, 'x')).toContain('FROM is not a valid change command');
  expect(await failure('import', image.rootfsTar, 'A B')).toContain('invalid reference format');
});

test('commit: what a container changed, and nothing that the engine put there', async () => {
  const script = 'echo new > /new; rm /etc/group; echo x > /etc/hosts; chown 33 /new';
  await docker('run', '--name', 'changed', '--network', 'none', 'box:1', 'sh', '-c', script);
  const id = await docker('commit', '-a', 'me', '-m', 'msg', '-c', 'CMD ["cat", "/new"]', 'changed', 'you/made:v1');
  const made = await inspected('you/made:v1');
  expect(made).toMatchObject({
    Id: id,
    Parent: image.id,
    Author: 'me',
    Comment: 'msg',
    Config: { Cmd: ['cat', '/new'], Env: ['A=b'] },
  });
  expect(made.RootFS.Layers).toHaveLength(2);
  expect(await docker('run', '--rm', '--network', 'none', 'you/made:v1')).toBe('new');
  expect(await failure('run', '--rm', '--network', 'none', 'you/made:v1', 'ls', '/etc/group')).toContain('/etc/group');
  await docker('save', '-o', join(directory, 'made.tar'), 'you/made:v1');
  const [, top] = JSON.parse(execFileSync('tar', ['-xOf', join(directory, 'made.tar'), 'manifest.json']).toString())[0]
    .Layers;
  const files = execFileSync('sh', [
    '-c',
    `tar -xOf "$1" "$2" | tar -t`,
    'sh',
    join(directory, 'made.tar'),
    top,
  ]).toString();
  expect(
    files
      .split('\n')
      .filter((name) => !name.endsWith('/') && name !== '')
      .sort(),
  ).toEqual(['etc/.wh.group', 'new']);
  expect(await docker('history', '--no-trunc', '--format', '{{.CreatedBy}}|{{.Comment}}', 'you/made:v1')).toBe(
    `sh -c ${script}|msg\ntest-image layer 0|`,
  );
  expect(await docker('history', '-q', 'you/made:v1')).toBe(`${shortId(id)}\n${shortId(image.id)}`);
  await docker('rm', 'changed');
  // Its parent has a name of its own: it stays.
  expect((await docker('rmi', 'you/made:v1')).split('\n')[0]).toBe('Untagged: you/made:v1');
  expect((await inspected('box:1')).Id).toBe(image.id);
  expect(await failure('commit', 'nope')).toContain('No such container: nope');
});

test('a container that ends while it is committed is committed all the same; one that runs goes on', async () => {
  await docker('run', '-d', '--name', 'runs', '--network', 'none', 'box:1', 'sh', '-c', 'touch /mark; sleep 300');
  for (let round = 0; round < 5; round += 1) {
    const ended = await docker('run', '-d', '--network', 'none', 'box:1', 'touch', '/mark');
    const [one, other] = await Promise.all([docker('commit', ended), docker('commit', 'runs')]);
    for (const id of [one, other]) expect((await inspected(id)).RootFS.Layers.length).toBeLessThanOrEqual(2);
  }
  expect(await docker('exec', 'runs', 'ls', '/mark')).toBe('/mark');
});

test('an image that containers use, in Docker’s words', async () => {
  const running = await docker('run', '-d', '--name', 'running', '--network', 'none', 'box:1', 'sleep', '300');
  expect(await failure('rmi', 'box:1')).toBe(
    `Error response from daemon: conflict: unable to remove repository reference "box:1" (must force) - container ${shortId(running)} is using its referenced image ${shortId(image.id)}`,
  );
  expect(await failure('rmi', '-f', shortId(image.id))).toBe(
    `Error response from daemon: conflict: unable to delete ${shortId(image.id)} (cannot be forced) - image is being used by running container ${shortId(running)}`,
  );
  await docker('kill', 'running');
  await docker('wait', 'running');
  expect(await failure('rmi', shortId(image.id))).toContain(
    `(must be forced) - image is being used by stopped container ${shortId(running)}`,
  );
  // By force the image goes; what the container stands on stays until it goes, too.
  expect(await docker('rmi', '-f', 'box:1')).toBe(`Untagged: box:1\nDeleted: ${image.id}`);
  expect(await failure('image', 'inspect', image.id)).toContain('No such image');
  await daemon.killAndRestart();
  await docker('start', 'running');
  expect(await docker('exec', 'running', 'cat', '/etc/nsswitch.conf')).toContain('passwd: files');
  await docker('rm', '-f', 'running');
  await expect.poll(() => docker('info', '-f', '{{range .DriverStatus}}{{.}}{{end}}')).toContain('[Layers 0]');
});

test('df tells what takes how much, and what could be had back', async () => {
  await docker('volume', 'create', 'data');
  await docker('create', '--name', 'c1', '-v', 'data:/data', 'box:1');
  const rows = Object.fromEntries(
    (await docker('system', 'df', '--format', '{{.Type}}|{{.TotalCount}}|{{.Active}}'))
      .split('\n')
      .map((row) => [row.split('|')[0], row]),
  );
  expect(rows).toEqual({
    Images: 'Images|1|1',
    Containers: 'Containers|1|0',
    'Local Volumes': 'Local Volumes|1|1',
    'Build Cache': 'Build Cache|0|0',
  });
  const answer = await daemon.call('GET', '/system/df', undefined, daemon.engineSocket);
  const { LayersSize, Images, Volumes } = answer.body as { LayersSize: number; Images: object[]; Volumes: object[] };
  expect(Images).toMatchObject([{ Id: image.id, Size: LayersSize, SharedSize: 0, Containers: 1 }]);
  expect(Volumes).toMatchObject([{ Name: 'data', UsageData: { RefCount: 1 } }]);
  await docker('rm', 'c1');
  const pruned = await docker('image', 'prune', '-f', '-a');
  expect(pruned).toContain(`deleted: ${image.id}`);
  expect(await docker('images', '-aq')).toBe('');
});

test('there is no registry to ask, and that is said', async () => {
  expect(await failure('pull', 'nope')).toContain('Cannot pull "nope:latest": pulling is not available');
  expect(await failure('pull', 'box:1')).toContain('it is here already');
  expect(await failure('run', '--rm', 'nope')).toContain('Cannot pull "nope:latest"');
  expect(await failure('pull', '--platform', 'foobar', 'nope')).toContain('unknown operating system');
  expect(await failure('search', 'x')).toContain('Cannot search for "x"');
});
