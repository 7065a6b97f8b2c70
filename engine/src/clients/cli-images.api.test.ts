// Images at rest and volumes, with the docker CLI.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { busyboxImage } from '../testing/test-image.ts';
import { DockerClient } from '../testing/docker-client.ts';

let docker: DockerClient;
beforeAll(async () => {
  docker = await DockerClient.start();
});
afterAll(() => docker.end());

describe('images', () => {
  test('load says what it loaded, and the image has the id of its configuration', async () => {
    const image = busyboxImage({ tag: 'loaded:1', tags: ['loaded:2'], config: { Labels: { a: 'b' } } }, docker.scratch);
    const said = await docker.ok('load', '-i', image.dockerTar);
    expect(said).toContain('Loaded image: loaded:1');
    expect(said).toContain('Loaded image: loaded:2');
    expect(await docker.inspect('loaded:2')).toMatchObject({
      Id: image.id,
      RepoTags: expect.arrayContaining(['loaded:1', 'loaded:2']),
      Os: 'linux',
      Config: { Labels: { a: 'b' }, Cmd: ['sh'] },
      RootFS: { Type: 'layers', Layers: image.diffIds },
    });
    await docker.ok('rmi', 'loaded:1', 'loaded:2');
  });

  test('tag, rmi: names go one by one, the image with the last', async () => {
    const id = await docker.load({ tag: 'named:1', files: { '/only': 'named' } });
    await docker.ok('tag', 'named:1', 'other/name:2');
    expect(await docker.ok('rmi', 'named:1')).toBe('Untagged: named:1');
    const last = (await docker.ok('rmi', 'other/name:2')).split('\n');
    expect(last[0]).toBe('Untagged: other/name:2');
    expect(last).toContain(`Deleted: ${id}`);
    expect((await docker.run(['rmi', 'named:1'])).stderr).toContain('No such image: named:1');
  });

  test('an image in use is kept', async () => {
    await docker.load({ tag: 'used:1', files: { '/only': 'used' } });
    const container = await docker.ok('create', 'used:1');
    const { code, stderr } = await docker.run(['rmi', 'used:1']);
    expect(stderr).toMatch(/conflict: unable to (remove|delete)/);
    expect(code).toBe(1);
    await docker.ok('rm', container);
    await docker.ok('rmi', 'used:1');
  });

  test('save and load carry an image with its layers, whiteouts included', async () => {
    const options = {
      tag: 'saved:1',
      layers: [{ '/etc/added': 'yes\n' }, { '/etc/added': null, '/etc/kept': 'so\n' }],
    };
    const id = await docker.load(options);
    const tar = join(docker.scratch, 'saved.tar');
    await docker.ok('save', '-o', tar, 'saved:1');
    expect(execFileSync('tar', ['-tf', tar], { encoding: 'utf8' })).toContain('manifest.json');
    await docker.ok('rmi', 'saved:1');
    await docker.ok('load', '-i', tar);
    expect(await docker.inspect('saved:1', '{{json .Id}}')).toBe(id);
    expect(await docker.ok('run', '--rm', '--network', 'none', 'saved:1', 'ls', '/etc')).not.toContain('added');
    expect(await docker.ok('run', '--rm', '--network', 'none', 'saved:1', 'cat', '/etc/kept')).toBe('so');
    expect((await docker.ok('history', '-q', 'saved:1')).split('\n')).toHaveLength(3);
    await docker.ok('rmi', 'saved:1');
  });

  test('are listed by name and label, dangling ones pruned', async () => {
    await docker.load({ tag: 'listed:1', config: { Labels: { kind: 'listed' } } });
    const list = (...filters: string[]) =>
      docker.ok('images', '--format', '{{.Repository}}:{{.Tag}}', ...filters.flatMap((filter) => ['--filter', filter]));
    expect(await list('label=kind=listed')).toBe('listed:1');
    expect(await list('reference=list*')).toBe('listed:1');
    expect(await list('reference=nothing*')).toBe('');
    // The same name for other content: what had it is dangling.
    await docker.load({ tag: 'listed:1', files: { '/other': 'content' } });
    expect(await list('dangling=true')).toBe('<none>:<none>');
    expect(await docker.ok('image', 'prune', '-f')).toMatch(/deleted: sha256:[0-9a-f]{64}/);
    expect(await list('dangling=true')).toBe('');
    await docker.ok('rmi', 'listed:1');
  });

  test('a damaged archive is refused in a sentence, and nothing is left of it', async () => {
    const image = busyboxImage({ tag: 'damaged:1' }, docker.scratch);
    const file = join(docker.scratch, 'damaged.tar');
    execFileSync('sh', ['-c', `head -c 700000 ${image.dockerTar} > ${file}`]);
    const { code, stderr, stdout } = await docker.run(['load', '-i', file]);
    expect(code).not.toBe(0);
    expect(`${stderr}${stdout}`).not.toBe('');
    expect((await docker.run(['inspect', 'damaged:1'])).code).toBe(1);
  });
});

describe('volumes', () => {
  test('keep their content between containers, and are filled from the image', async () => {
    await docker.load({ tag: 'filled:1', files: { '/data/seed': 'from the image\n' } });
    await docker.ok('volume', 'create', '--label', 'kind=test', 'kept');
    const at = ['run', '--rm', '--network', 'none', '-v', 'kept:/data', 'filled:1'];
    expect(await docker.ok(...at, 'cat', '/data/seed')).toBe('from the image');
    await docker.ok(...at, 'sh', '-c', 'echo changed > /data/seed');
    expect(await docker.ok(...at, 'cat', '/data/seed')).toBe('changed');
    expect(await docker.ok('volume', 'ls', '-q', '--filter', 'label=kind=test')).toBe('kept');
    expect(await docker.inspect('kept')).toMatchObject({ Name: 'kept', Driver: 'local', Labels: { kind: 'test' } });
    const user = await docker.ok('create', '-v', 'kept:/data', 'busybox');
    expect((await docker.run(['volume', 'rm', 'kept'])).stderr).toContain('volume is in use');
    await docker.ok('rm', user);
    await docker.ok('volume', 'rm', 'kept');
    await docker.ok('rmi', 'filled:1');
  });

  test('binds show the host’s files, read-only where asked', async () => {
    const folder = join(docker.scratch, 'bind');
    mkdirSync(folder);
    writeFileSync(join(folder, 'file'), 'host\n');
    const bound = ['run', '--rm', '--network', 'none', '-v', `${folder}:/mnt:ro`, 'busybox'];
    const { code, stdout, stderr } = await docker.run([...bound, 'sh', '-c', 'cat /mnt/file; touch /mnt/other']);
    expect(stdout).toBe('host\n');
    expect(stderr).toContain('Read-only');
    expect(code).not.toBe(0);
    const one = ['--mount', `type=bind,src=${join(folder, 'file')},dst=/one`];
    expect(await docker.ok('run', '--rm', '--network', 'none', ...one, 'busybox', 'cat', '/one')).toBe('host');
    expect((await docker.run(['run', '--rm', '--mount', 'type=bind,src=/no/such,dst=/x', 'busybox'])).stderr).toContain(
      'bind source path does not exist',
    );
  });

  test('anonymous ones go with rm -v, others are pruned', async () => {
    const id = await docker.ok('create', '-v', '/anonymous', 'busybox');
    const [mount] = await docker.inspect<{ Name: string }[]>(id, '{{json .Mounts}}');
    expect(await docker.ok('volume', 'ls', '-q')).toContain(mount?.Name ?? 'none');
    await docker.ok('rm', '-v', id);
    expect(await docker.ok('volume', 'ls', '-q')).not.toContain(mount?.Name ?? 'none');
  });
});

test('events tell of a container from its creation to its removal', async () => {
  const since = String(Math.floor(Date.now() / 1000) - 1);
  await docker.ok('run', '--rm', '--name', 'told', '--network', 'none', 'busybox', 'true');
  const format = ['--format', '{{.Type}} {{.Action}}', '--filter', 'container=told', '--filter', 'type=container'];
  const until = String(Math.floor(Date.now() / 1000) + 1);
  const actions = (await docker.ok('events', '--since', since, '--until', until, ...format)).split('\n');
  expect(actions.filter((line) => !line.includes('attach'))).toEqual([
    'container create',
    'container start',
    'container die',
    'container destroy',
  ]);
});

test('system df counts what is there', async () => {
  const lines = (await docker.ok('system', 'df', '--format', '{{.Type}} {{.TotalCount}}')).split('\n');
  expect(lines.map((line) => line.replace(/\d+$/, 'N'))).toEqual([
    'Images N',
    'Containers N',
    'Local Volumes N',
    'Build Cache N',
  ]);
});
