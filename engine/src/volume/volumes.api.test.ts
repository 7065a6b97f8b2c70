// Volumes as Docker's own client and dockerode see them.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import Dockerode from 'dockerode';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDaemon } from '../testing/daemon.ts';

let daemon: TestDaemon;
let dockerode: Dockerode;
beforeAll(async () => {
  daemon = await TestDaemon.start();
  dockerode = new Dockerode({ socketPath: daemon.engineSocket });
});
afterAll(() => daemon.end());

const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> =>
  (await run('docker', ['-H', `unix://${daemon.engineSocket}`, ...args])).stdout.trim();
/** What the client prints when it fails. */
const failure = (...args: string[]): Promise<string> =>
  docker(...args).then(
    (out) => Promise.reject(new Error(`it succeeded: ${out}`)),
    (error: { stderr: string }) => error.stderr.trim(),
  );

test('create, list, inspect, remove, and the same after a restart of the daemon', async () => {
  expect(await docker('volume', 'create', '--label', 'a=b', 'web')).toBe('web');
  const anonymous = await docker('volume', 'create');
  expect(anonymous).toMatch(/^[0-9a-f]{64}$/);
  expect(await docker('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m', 'mem')).toBe(
    'mem',
  );
  await daemon.killAndRestart();
  const names = async (...filters: string[]) =>
    (await docker('volume', 'ls', '-q', ...filters.flatMap((filter) => ['--filter', filter]))).split('\n').sort();
  expect(await names()).toEqual([anonymous, 'mem', 'web'].sort());
  expect(await names('label=a')).toEqual(['web']);
  expect(await names('label=a=c')).toEqual(['']);
  expect(await names('name=^we')).toEqual(['web']);
  expect(await names('dangling=true', 'driver=local')).toHaveLength(3);
  expect(await names('dangling=false')).toEqual(['']);
  const [web] = JSON.parse(await docker('volume', 'inspect', 'web'));
  expect(web).toEqual({
    CreatedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    Driver: 'local',
    Labels: { a: 'b' },
    Mountpoint: `${daemon.root}/volumes/web/_data`,
    Name: 'web',
    Options: null,
    Scope: 'local',
  });
  expect(await docker('volume', 'inspect', '-f', '{{.Options}}', 'mem')).toBe('map[device:tmpfs o:size=1m type:tmpfs]');
  expect(await docker('volume', 'prune', '-f')).toContain(anonymous);
  expect(await docker('volume', 'prune', '-f', '-a', '--filter', 'label!=a')).toContain('mem');
  expect(await docker('volume', 'rm', 'web')).toBe('web');
  expect(await names()).toEqual(['']);
});

test('a client of before 1.42 prunes named volumes too', async () => {
  await docker('volume', 'create', 'named');
  const pruned = await daemon.call('POST', '/v1.41/volumes/prune', undefined, daemon.engineSocket);
  expect(pruned.body).toEqual({ VolumesDeleted: ['named'], SpaceReclaimed: 0 });
});

test('failures, in Docker’s words', async () => {
  expect(await failure('volume', 'inspect', 'nope')).toContain('get nope: no such volume');
  expect(await failure('volume', 'rm', 'nope')).toBe('Error response from daemon: get nope: no such volume');
  expect(await failure('volume', 'create', 'a b')).toContain('includes invalid characters for a local volume name');
  expect(await failure('volume', 'create', '-d', 'odd', 'x1')).toContain('plugin "odd" not found');
  expect(await failure('volume', 'ls', '--filter', 'odd=1')).toContain("invalid filter 'odd'");
  await docker('volume', 'rm', '-f', 'nope');
});

test('dockerode', async () => {
  await dockerode.createVolume({ Name: 'node', Labels: { x: '1' } });
  expect(await dockerode.getVolume('node').inspect()).toMatchObject({ Name: 'node', Labels: { x: '1' } });
  expect((await dockerode.listVolumes({ filters: { name: ['node'] } })).Volumes).toHaveLength(1);
  await dockerode.getVolume('node').remove();
  await expect(dockerode.getVolume('node').inspect()).rejects.toMatchObject({ statusCode: 404 });
});
