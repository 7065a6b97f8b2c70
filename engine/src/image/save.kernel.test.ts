// What we write, others read: skopeo and umoci; and what they write, we load.
import { execFileSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { imageTool } from '../testing/image-tools.ts';
import { type ImageWorld, imageWorld } from '../testing/image-world.ts';
import { requires } from '../testing/requires.ts';
import { busyboxImage, type TestImage } from '../testing/test-image.ts';
import { saveImages } from './save.ts';

requires('overlay');

let world: ImageWorld;
let image: TestImage;
let other: TestImage;
beforeEach(async () => {
  world = await imageWorld();
  image = busyboxImage({ tag: 'box:1', tags: ['you/box:latest'], layers: [{ '/new': 'x' }] }, world.directory);
  other = busyboxImage({ tag: 'box:2', config: { Cmd: ['true'] } }, world.directory);
  await world.load(image.dockerTar);
  await world.load(other.ociTar);
});
afterEach(() => world.remove());

const skopeo = (...args: string[]) => imageTool('skopeo', ['--insecure-policy', ...args], world.directory);
const save = async (name: string, ...names: string[]): Promise<string> => {
  const path = join(world.directory, name);
  await pipeline(saveImages(world.context, names), createWriteStream(path));
  return path;
};
const members = (tar: string) => execFileSync('tar', ['-tf', tar], { encoding: 'utf8' }).trim().split('\n');
const member = (tar: string, name: string) =>
  JSON.parse(execFileSync('tar', ['-xOf', tar, name], { encoding: 'utf8' }));

test('several images in one archive: shared layers once, both indexes, the same bytes each time', async () => {
  const tar = await save('all.tar', 'box:1', 'box:2', 'you/box');
  expect(member(tar, 'manifest.json')).toMatchObject([
    { Config: `blobs/${image.id.replace(':', '/')}`, RepoTags: ['box:1', 'you/box:latest'] },
    { Config: `blobs/${other.id.replace(':', '/')}`, RepoTags: ['box:2'] },
  ]);
  const { manifests } = member(tar, 'index.json');
  expect(manifests.map((one: { annotations: object }) => one.annotations)).toEqual([
    { 'io.containerd.image.name': 'docker.io/library/box:1', 'org.opencontainers.image.ref.name': '1' },
    { 'io.containerd.image.name': 'docker.io/you/box:latest', 'org.opencontainers.image.ref.name': 'latest' },
    { 'io.containerd.image.name': 'docker.io/library/box:2', 'org.opencontainers.image.ref.name': '2' },
  ]);
  // Two configurations, two manifests, two layers.
  expect(members(tar).filter((name) => /^blobs\/sha256\/./.test(name))).toHaveLength(6);
  expect(members(tar).slice(-3)).toEqual(['index.json', 'manifest.json', 'oci-layout']);
  const again = await save('again.tar', 'box:1', 'box:2', 'you/box');
  expect(readFileSync(again).equals(readFileSync(tar))).toBe(true);
});

test('a name without tag means all its tags; an id means no name', async () => {
  const all = member(await save('box.tar', 'box'), 'manifest.json');
  expect(all.map(({ RepoTags }: { RepoTags: string[] }) => RepoTags)).toEqual([['box:1'], ['box:2']]);
  expect(member(await save('id.tar', image.id.slice(7, 19)), 'manifest.json')).toMatchObject([{ RepoTags: null }]);
  expect(() => saveImages(world.context, ['box:1', 'nope'])).toThrow('No such image: nope:latest');
});

test('what was saved can be loaded where nothing is, and is the same', async () => {
  const tar = await save('all.tar', 'box:1', 'box:2');
  const fresh = await imageWorld();
  try {
    const { images, messages } = await fresh.load(tar);
    expect(images.map(({ id }) => id)).toEqual([image.id, other.id]);
    expect(images[1]?.record.manifest).toBe(other.manifestDigest);
    expect(messages.filter(({ stream }) => stream)).toEqual([
      { stream: 'Loaded image: box:1\n' },
      { stream: 'Loaded image: box:2\n' },
    ]);
    expect(fresh.context.store.layers.list().sort()).toEqual(world.context.store.layers.list().sort());
  } finally {
    fresh.remove();
  }
});

test('skopeo reads it as docker’s archive and as an OCI one, and finds manifest and configuration valid', async () => {
  const tar = await save('one.tar', 'you/box');
  for (const source of [`docker-archive:${tar}`, `oci-archive:${tar}:latest`]) {
    const inspected = JSON.parse(skopeo('inspect', source));
    expect(inspected).toMatchObject({ Architecture: world.context.platform.architecture, Os: 'linux' });
    expect(JSON.parse(skopeo('inspect', '--config', source)).rootfs.diff_ids).toEqual(image.diffIds);
    const target = `oci:${join(world.directory, source.slice(0, 6))}:copied`;
    skopeo('copy', source, target);
    expect(JSON.parse(skopeo('inspect', '--config', target)).rootfs.diff_ids).toEqual(image.diffIds);
  }
});

test('what skopeo writes is loaded: docker’s archive, an OCI archive with gzip layers', async () => {
  const tar = await save('one.tar', 'box:1');
  skopeo('copy', `docker-archive:${tar}`, `docker-archive:${join(world.directory, 'theirs.tar')}:sk/docker:v1`);
  skopeo('copy', `docker-archive:${tar}`, `oci-archive:${join(world.directory, 'oci.tar')}:sk/oci:v1`);
  const fresh = await imageWorld();
  try {
    const docker = await fresh.load(join(world.directory, 'theirs.tar'));
    expect(docker.images[0]?.config.rootfs.diff_ids).toEqual(image.diffIds);
    expect(docker.messages.at(-1)).toEqual({ stream: 'Loaded image: sk/docker:v1\n' });
    const oci = await fresh.load(join(world.directory, 'oci.tar'));
    expect(oci.messages.at(-1)).toEqual({ stream: 'Loaded image: sk/oci:v1\n' });
    expect(oci.images[0]?.manifest.layers.map(({ mediaType }) => mediaType)).toEqual([
      'application/vnd.oci.image.layer.v1.tar+gzip',
      'application/vnd.oci.image.layer.v1.tar+gzip',
    ]);
    expect(fresh.context.store.layers.list()).toHaveLength(2); // the same files, however they were packed
    // Compressed layers leave as they came: the manifest, and so the digest that registries know, is the same.
    await pipeline(saveImages(fresh.context, ['sk/oci:v1']), createWriteStream(join(world.directory, 'back.tar')));
    const [described] = member(join(world.directory, 'back.tar'), 'index.json').manifests;
    expect(described.digest).toBe(oci.images[0]?.record.manifest);
    skopeo('inspect', `docker-archive:${join(world.directory, 'back.tar')}`);
  } finally {
    fresh.remove();
  }
});

test('what umoci writes is loaded', async () => {
  const layout = join(world.directory, 'umoci');
  const tree = join(world.directory, 'umoci-tree');
  mkdirSync(tree);
  const umoci = (...args: string[]) => imageTool('umoci', args, world.directory);
  umoci('init', '--layout', layout);
  umoci('new', '--image', `${layout}:v1`);
  umoci('config', '--image', `${layout}:v1`, '--config.cmd', 'sh', '--config.label', 'made=umoci');
  execFileSync('sh', ['-ec', `echo hi > ${tree}/file`]);
  umoci('insert', '--image', `${layout}:v1`, tree, '/inserted');
  execFileSync('tar', ['-C', layout, '-cf', `${layout}.tar`, '.']);
  const { images, messages } = await world.load(`${layout}.tar`);
  expect(images[0]?.config.config).toMatchObject({ Cmd: ['sh'], Labels: { made: 'umoci' } });
  expect(messages.at(-1)).toEqual({ stream: `Loaded image ID: ${images[0]?.id}\n` });
});
