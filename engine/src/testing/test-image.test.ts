import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { busyboxImage, type TestImage } from './test-image.ts';

const made: TestImage[] = [];
const make = (...args: Parameters<typeof busyboxImage>): TestImage => {
  const image = busyboxImage(...args);
  made.push(image);
  return image;
};
const member = (tar: string, name: string): Buffer =>
  execFileSync('tar', ['-xOf', tar, name], { maxBuffer: 64 * 2 ** 20 });
const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

afterEach(() => made.splice(0).forEach((image) => image.remove()));

test('the image is what docker load takes, and its digests are those of its bytes', () => {
  const image = make({
    tag: 'box:1',
    tags: ['box:latest'],
    config: { Cmd: ['true'] },
    layers: [{ '/etc/group': null }],
  });
  const [{ Config, RepoTags, Layers }] = JSON.parse(member(image.dockerTar, 'manifest.json').toString());
  expect(RepoTags).toEqual(['box:1', 'box:latest']);
  const config = member(image.dockerTar, Config);
  expect(sha256(config)).toBe(image.id);
  expect(JSON.parse(config.toString())).toMatchObject({
    config: { Cmd: ['true'] },
    rootfs: { diff_ids: image.diffIds },
  });
  expect(Layers.map((name: string) => sha256(member(image.dockerTar, name)))).toEqual(image.diffIds);
  const second = execFileSync('tar', ['-t'], { input: member(image.dockerTar, Layers[1]), encoding: 'utf8' });
  expect(second).toContain('etc/.wh.group');
});

test('the OCI layout leads from its index to every blob', () => {
  const image = make();
  const { manifests } = JSON.parse(member(image.ociTar, 'index.json').toString());
  expect(manifests[0].digest).toBe(image.manifestDigest);
  const blob = (digest: string) => member(image.ociTar, `blobs/${digest.replace(':', '/')}`);
  const manifest = JSON.parse(blob(image.manifestDigest).toString());
  for (const { digest, size } of [manifest.config, ...manifest.layers]) {
    expect(sha256(blob(digest))).toBe(digest);
    expect(blob(digest).length).toBe(size);
  }
});

test('the same options give the same bytes; removing leaves nothing', () => {
  const [one, other] = [make(), make()];
  expect(readFileSync(one.dockerTar).equals(readFileSync(other.dockerTar))).toBe(true);
  expect(execFileSync('chroot', [one.rootfs, '/bin/sh', '-c', 'id -un'], { encoding: 'utf8' })).toBe('root\n');
  one.remove();
  expect(existsSync(one.directory)).toBe(false);
});
