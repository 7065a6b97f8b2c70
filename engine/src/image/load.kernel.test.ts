import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hexOf } from '../model/digest.ts';
import { type ImageWorld, imageWorld } from '../testing/image-world.ts';
import { requires } from '../testing/requires.ts';
import { busyboxImage, type TestImage } from '../testing/test-image.ts';

requires('overlay');

let world: ImageWorld;
let image: TestImage;
beforeEach(async () => {
  world = await imageWorld();
  image = busyboxImage(
    {
      tag: 'box:1',
      tags: ['you/box:latest'],
      config: { Labels: { a: 'b' } },
      layers: [{ '/etc/group': null, '/new': 'x' }],
    },
    world.directory,
  );
});
afterEach(() => world.remove());

const incoming = () => readdirSync(join(world.directory, 'store/incoming'));
const sha = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const json = (value: unknown) => JSON.stringify(value);
/** A tar with these members, in this order. */
function archive(members: Record<string, string | Buffer>): string {
  const tree = join(world.directory, `tree-${Math.random()}`);
  for (const [name, content] of Object.entries(members)) {
    mkdirSync(join(tree, name, '..'), { recursive: true });
    writeFileSync(join(tree, name), content);
  }
  execFileSync('tar', ['-C', tree, '-cf', `${tree}.tar`, ...Object.keys(members)]);
  return `${tree}.tar`;
}
const unpacked = (tar: string): string => {
  const tree = `${tar}.d`;
  mkdirSync(tree);
  execFileSync('tar', ['-C', tree, '-xf', tar]);
  return tree;
};
const packed = (tree: string, ...options: string[]): string => {
  execFileSync('tar', ['-C', tree, ...options, '-cf', `${tree}.tar`, '.']);
  return `${tree}.tar`;
};

test('docker save’s archive: names, layers, configuration, what is told', async () => {
  const { images, messages } = await world.load(image.dockerTar);
  expect(images.map(({ id }) => id)).toEqual([image.id]);
  expect(world.context.store.find('box:1')).toEqual({
    id: image.id,
    defaults: expect.objectContaining({ Cmd: ['sh'], Labels: { a: 'b' } }),
    os: 'linux',
    architecture: expect.any(String),
    topLayer: hexOf(images[0]?.chainIds[1] ?? ''),
    references: ['box:1', 'you/box:latest'],
  });
  expect(messages.filter(({ stream }) => stream).map(({ stream }) => stream)).toEqual([
    'Loaded image: box:1\n',
    'Loaded image: you/box:latest\n',
  ]);
  expect(messages.filter(({ status }) => status === 'Loading layer')).toHaveLength(2);
  expect(world.told()).toEqual([`image load ${image.id}`, 'image tag box:1', 'image tag you/box:latest']);
  const top = world.graph.mountOf(hexOf(images[0]?.chainIds[1] ?? ''));
  if (top.kind !== 'overlay') throw new Error('not an overlay');
  expect(readFileSync(join(top.lower[0] ?? '', 'new'), 'utf8')).toBe('x');
  expect(existsSync(join(top.lower[1] ?? '', 'bin/busybox'))).toBe(true);
  expect(incoming()).toEqual([]);
});

test('an OCI layout gives the same image, and keeps its manifest; compressed archives and layers too', async () => {
  const first = await world.load(image.ociTar);
  expect(first.images[0]).toMatchObject({ id: image.id, record: { manifest: image.manifestDigest } });
  expect(first.messages.at(-1)).toEqual({ stream: 'Loaded image: you/box:latest\n' });
  execFileSync('gzip', ['-k', image.dockerTar]);
  const again = await world.load(`${image.dockerTar}.gz`);
  expect(again.images[0]?.record.manifest).toBe(image.manifestDigest);
  expect(again.messages.filter(({ status }) => status)).toEqual([]); // no layer was unpacked twice
  expect(world.context.store.all()).toHaveLength(1);
});

test('what is in the store after a restart is what was there before', async () => {
  await world.load(image.dockerTar);
  const before = world.context.store.lookup('box:1');
  const after = await world.reopen();
  expect(after.context.store.lookup('you/box')).toEqual(before);
  await after.context.store.collect();
  expect(after.context.store.layers.list().sort()).toEqual([...before.chainIds].sort());
  expect(after.context.store.blobs.list().sort()).toEqual(world.context.store.blobs.list().sort());
  expect(after.warnings).toEqual([]);
});

test('layers that two images share are there once; symbolic and hard links in the archive lead to them', async () => {
  const other = busyboxImage({ tag: 'other:1' }, world.directory);
  await world.load(image.dockerTar);
  const tree = unpacked(other.dockerTar);
  const [layer] = other.diffIds.map(hexOf);
  // As skopeo and Docker before 25 write archives: the layer under its digest, and links to it.
  execFileSync(
    'sh',
    [
      '-ec',
      `mv ${layer}/layer.tar ./${layer}.tar; ln -s ../${layer}.tar ${layer}/layer.tar; ln ${layer}.tar z-hard.tar`,
    ],
    { cwd: tree },
  );
  const { images } = await world.load(packed(tree));
  expect(images[0]?.id).toBe(other.id);
  expect(world.context.store.layers.list()).toHaveLength(2);
});

test('an index of several platforms and attestations: the image of this one', async () => {
  const tree = unpacked(image.ociTar);
  const index = JSON.parse(readFileSync(join(tree, 'index.json'), 'utf8'));
  const [described] = index.manifests;
  const inner = json({
    schemaVersion: 2,
    manifests: [
      { ...described, annotations: {}, platform: { os: 'linux', architecture: world.context.platform.architecture } },
      { ...described, digest: `sha256:${'a'.repeat(64)}`, platform: { os: 'linux', architecture: 'pdp11' } },
      { ...described, digest: `sha256:${'b'.repeat(64)}`, platform: { os: 'unknown', architecture: 'unknown' } },
    ],
  });
  writeFileSync(join(tree, 'blobs/sha256', sha(inner)), inner);
  const entry = {
    mediaType: 'application/vnd.oci.image.index.v1+json',
    digest: `sha256:${sha(inner)}`,
    size: inner.length,
  };
  for (const [annotations, told] of [
    [
      { 'io.containerd.image.name': 'docker.io/you/app:v2', 'org.opencontainers.image.ref.name': 'v2' },
      'Loaded image: you/app:v2\n',
    ],
    [{ 'org.opencontainers.image.ref.name': 'localhost:5000/app' }, 'Loaded image: localhost:5000/app:latest\n'],
    [{ 'org.opencontainers.image.ref.name': 'latest' }, `Loaded image ID: ${image.id}\n`],
  ] as const) {
    writeFileSync(join(tree, 'index.json'), json({ schemaVersion: 2, manifests: [{ ...entry, annotations }] }));
    const { images, messages } = await world.load(packed(tree));
    expect(images.map(({ id }) => id)).toEqual([image.id]);
    expect(messages.at(-1)).toEqual({ stream: told });
  }
});

test('loaded twice at once, it is there once', async () => {
  const all = await Promise.all([world.load(image.dockerTar), world.load(image.ociTar), world.load(image.dockerTar)]);
  expect(new Set(all.map(({ images }) => images[0]?.id))).toEqual(new Set([image.id]));
  expect(world.context.store.layers.list()).toHaveLength(2);
  expect(incoming()).toEqual([]);
});

const refused: [string, () => string, RegExp][] = [
  [
    'no archive of images',
    () => archive({ 'some/file': 'x' }),
    /neither a manifest.json \(docker save\) nor an index.json/,
  ],
  [
    'no tar at all',
    () => {
      writeFileSync(join(world.directory, 'plain'), 'hello'.repeat(1000));
      return join(world.directory, 'plain');
    },
    /tar/,
  ],
  [
    'nothing',
    () => {
      writeFileSync(join(world.directory, 'empty'), '');
      return join(world.directory, 'empty');
    },
    /it is empty/,
  ],
  [
    'a cut archive',
    () => {
      writeFileSync(join(world.directory, 'cut'), readFileSync(image.dockerTar).subarray(0, 700_000));
      return join(world.directory, 'cut');
    },
    /ends too early/,
  ],
  [
    'a missing layer',
    () =>
      archive({
        'c.json': json({ rootfs: { diff_ids: [`sha256:${'a'.repeat(64)}`] } }),
        'manifest.json': json([{ Config: 'c.json', Layers: ['l.tar'] }]),
      }),
    /it has no member "l.tar"/,
  ],
  [
    'more layers than the configuration',
    () =>
      archive({
        'c.json': json({ rootfs: {} }),
        'l.tar': 'x',
        'manifest.json': json([{ Config: 'c.json', Layers: ['l.tar'] }]),
      }),
    /layers length mismatch: expected 0, got 1/,
  ],
  [
    'an odd name',
    () => archive({ 'c.json': json({ rootfs: {} }), 'manifest.json': json([{ Config: 'c.json', RepoTags: ['A B'] }]) }),
    /invalid reference format/,
  ],
  [
    'a name that leads out',
    () => archive({ 'manifest.json': json([{ Config: '../../../../etc/passwd' }]) }),
    /leads out/,
  ],
  [
    'a configuration under another’s digest',
    () =>
      archive({
        [`blobs/sha256/${'a'.repeat(64)}`]: json({ rootfs: {} }),
        'manifest.json': json([{ Config: `blobs/sha256/${'a'.repeat(64)}` }]),
      }),
    /have the digest/,
  ],
  [
    'a blob under another’s digest',
    () => {
      const tree = unpacked(image.ociTar);
      writeFileSync(join(tree, 'blobs/sha256', hexOf(image.manifestDigest)), '{}');
      return packed(tree);
    },
    /the bytes of blob .* have the digest/,
  ],
  [
    'a layer that is not what the configuration says',
    () => {
      const tree = unpacked(image.dockerTar);
      const [below, top] = image.diffIds.map(hexOf);
      execFileSync('cp', [`${tree}/${below}/layer.tar`, `${tree}/${top}/layer.tar`]);
      return packed(tree);
    },
    /wrong layer: expected diff id/,
  ],
  [
    'a layer with a path that leads out',
    () => {
      const tree = join(world.directory, 'evil');
      mkdirSync(tree);
      writeFileSync(join(tree, 'f'), 'x');
      execFileSync('tar', ['-C', tree, '-cf', `${tree}/l.tar`, '--transform=s,^f,../../../f,', '-P', 'f']);
      return archive({
        'l.tar': readFileSync(`${tree}/l.tar`),
        'c.json': json({ rootfs: { diff_ids: [`sha256:${sha(readFileSync(`${tree}/l.tar`))}`] } }),
        'manifest.json': json([{ Config: 'c.json', Layers: ['l.tar'] }]),
      });
    },
    /leads out of the root/,
  ],
  ['a huge document', () => archive({ 'manifest.json': `"${'x'.repeat(5 * 2 ** 20)}"` }), /larger than 4194304 bytes/],
  [
    'a link in a circle',
    () => {
      const tree = join(world.directory, 'circle');
      execFileSync('sh', [
        '-ec',
        `mkdir ${tree}; cd ${tree}; ln -s index.json manifest.json; ln -s manifest.json index.json`,
      ]);
      return packed(tree);
    },
    /a link that leads nowhere/,
  ],
  [
    'a sparse member',
    () => {
      const tree = join(world.directory, 'sparse');
      execFileSync('sh', ['-ec', `mkdir ${tree}; cd ${tree}; truncate -s 1T manifest.json; echo x >> manifest.json`]);
      return packed(tree, '-S');
    },
    /is a sparse file/,
  ],
];

test.each(refused)('%s is refused, and nothing of it is left', async (_what, make, message) => {
  await expect(world.load(make())).rejects.toMatchObject({
    kind: 'invalid_argument',
    message: expect.stringMatching(message),
  });
  expect(incoming()).toEqual([]);
  expect(world.context.store.all()).toEqual([]);
  expect(world.context.store.blobs.list()).toEqual([]);
  expect(world.context.store.layers.list()).toEqual([]);
});
