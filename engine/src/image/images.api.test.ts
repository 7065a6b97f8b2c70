// Images as Docker's own client and dockerode see them.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Dockerode from 'dockerode';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { shortId } from '../model/digest.ts';
import { TestDaemon } from '../testing/daemon.ts';
import { busyboxImage, type TestImage } from '../testing/test-image.ts';

let daemon: TestDaemon;
let dockerode: Dockerode;
let directory: string;
let image: TestImage;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-images-api-'));
  image = busyboxImage(
    { tag: 'box:1', tags: ['you/box:latest'], config: { Labels: { a: 'b' } }, layers: [{ '/new': 'x' }] },
    directory,
  );
  daemon = await TestDaemon.start();
  dockerode = new Dockerode({ socketPath: daemon.engineSocket });
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
const names = async (...args: string[]) =>
  (await docker('images', '--format', '{{.Repository}}:{{.Tag}}', ...args)).split('\n').sort();

beforeEach(() => docker('load', '-i', image.dockerTar));

test('load, list, inspect, history, and the same after the daemon was killed', async () => {
  expect(await docker('load', '-i', image.ociTar)).toBe('Loaded image: box:1\nLoaded image: you/box:latest');
  await daemon.killAndRestart();
  expect(await names()).toEqual(['box:1', 'you/box:latest']);
  expect(await docker('images', '-q', '--no-trunc', 'box')).toBe(image.id);
  const [shown] = JSON.parse(await docker('image', 'inspect', 'you/box'));
  expect(shown).toMatchObject({
    Id: image.id,
    RepoTags: ['box:1', 'you/box:latest'],
    RepoDigests: [],
    Os: 'linux',
    Config: { Cmd: ['sh'], Labels: { a: 'b' }, Entrypoint: null },
    RootFS: { Type: 'layers', Layers: image.diffIds },
    Created: '2024-01-01T00:00:00Z',
  });
  const size = Number(
    execFileSync('du', ['-sb', '--apparent-size', `${image.rootfs}/bin/busybox`])
      .toString()
      .split('\t')[0],
  );
  expect(shown.Size).toBeGreaterThan(size);
  expect(await docker('history', '--format', '{{.CreatedBy}} {{.ID}}', 'box:1')).toBe(
    `test-image layer 1 ${shortId(image.id)}\ntest-image layer 0 <missing>`,
  );
  expect(await docker('image', 'inspect', '-f', '{{.Id}}', shortId(image.id))).toBe(image.id);
});

test('filters of the list', async () => {
  expect(await names('--filter', 'label=a')).toHaveLength(2);
  expect(await names('--filter', 'label=a=c')).toEqual(['']);
  expect(await names('--filter', 'reference=you/*')).toEqual(['you/box:latest']);
  expect(await names('you/box')).toEqual(['you/box:latest']);
  expect(await names('box:1')).toEqual(['box:1']);
  expect(await names('--filter', 'dangling=true')).toEqual(['']);
  expect(await names('--filter', 'until=2023-12-31')).toEqual(['']);
  expect(await names('--filter', 'until=2024-01-02')).toHaveLength(2);
  expect(await names('--filter', 'before=box:1')).toEqual(['']);
  expect(await failure('images', '--filter', 'before=nope')).toContain('No such image: nope:latest');
  expect(await failure('images', '--filter', 'odd=1')).toContain("invalid filter 'odd'");
});

test('tag and rmi tell what went', async () => {
  await docker('tag', 'box:1', 'localhost:5000/a/b:v1');
  await docker('tag', shortId(image.id), 'third');
  expect(await names('--filter', 'reference=localhost:5000/*/*')).toEqual(['localhost:5000/a/b:v1']);
  expect(await docker('rmi', 'localhost:5000/a/b:v1', 'third')).toBe(
    'Untagged: localhost:5000/a/b:v1\nUntagged: third:latest',
  );
  expect(await failure('rmi', shortId(image.id))).toBe(
    `Error response from daemon: conflict: unable to delete ${shortId(image.id)} (must be forced) - image is referenced in multiple repositories`,
  );
  const removed = (await docker('rmi', '-f', image.id)).split('\n');
  expect(removed.slice(0, 3)).toEqual(['Untagged: box:1', 'Untagged: you/box:latest', `Deleted: ${image.id}`]);
  expect(removed).toHaveLength(5);
  expect(removed.at(-1)).toBe(`Deleted: ${image.diffIds[0]}`);
  expect(await names()).toEqual(['']);
});

test('a name that moves to another image leaves a dangling one, which prune takes', async () => {
  const other = busyboxImage({ tag: 'box:1', files: { '/other': 'y' } }, directory);
  await docker('rmi', 'you/box');
  await docker('load', '-q', '-i', other.dockerTar);
  expect(await docker('images', '-q', '--no-trunc', '--filter', 'dangling=true')).toBe(image.id);
  const pruned = await docker('image', 'prune', '-f');
  expect(pruned).toContain(`deleted: ${image.id}`);
  expect(pruned).toMatch(/Total reclaimed space: [\d.]+MB/);
  expect(await names()).toEqual(['box:1']);
  const all = await docker('image', 'prune', '-f', '-a', '--filter', 'label!=none');
  expect(all).toContain('untagged: box:1');
  expect(await docker('images', '-aq')).toBe('');
});

test('failures, in Docker’s words', async () => {
  expect(await failure('rmi', 'nope')).toBe('Error response from daemon: No such image: nope:latest');
  expect(await failure('tag', 'nope', 'x')).toBe('Error response from daemon: No such image: nope:latest');
  expect(await failure('history', 'sha256:abc')).toContain('No such image: sha256:abc');
  expect(await failure('load', '-i', image.rootfsTar)).toContain(
    'neither a manifest.json (docker save) nor an index.json',
  );
  const odd = await daemon.call('POST', '/images/box:1/tag?repo=A%20B', undefined, daemon.engineSocket);
  expect(odd).toMatchObject({ status: 400, body: { message: expect.stringContaining('invalid reference format') } });
  const verb = await daemon.call('GET', '/images/box:1/odd', undefined, daemon.engineSocket);
  expect(verb).toMatchObject({ status: 404, body: { message: 'page not found' } });
});

test('dockerode; names with slashes, plain and encoded; an old version’s field', async () => {
  expect(await dockerode.getImage('you/box:latest').inspect()).toMatchObject({ Id: image.id });
  const list = await dockerode.listImages({ filters: { reference: ['you/box'] } });
  expect(list).toMatchObject([{ Id: image.id, RepoTags: ['you/box:latest'], SharedSize: -1, Containers: -1 }]);
  for (const name of ['you/box', 'you%2Fbox:latest', encodeURIComponent(image.id)]) {
    const answer = await daemon.call('GET', `/v1.43/images/${name}/json`, undefined, daemon.engineSocket);
    expect(answer).toMatchObject({ status: 200, body: { Id: image.id, VirtualSize: expect.any(Number) } });
  }
  expect(await dockerode.getImage('box:1').remove()).toEqual([{ Untagged: 'box:1' }]);
});
