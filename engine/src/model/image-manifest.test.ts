import { expect, test } from 'vitest';
import {
  dockerArchiveSchema,
  DOCUMENT_MAX_BYTES,
  imageConfigSchema,
  indexSchema,
  isForPlatform,
  manifestSchema,
  readDocument,
} from './image-manifest.ts';

const DIGEST = `sha256:${'ab'.repeat(32)}`;
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: DIGEST, size: 3 };

test('a configuration as Docker writes it: nulls are absent, unknown fields stay', () => {
  const config = readDocument(
    imageConfigSchema,
    bytes({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['A=b'], Cmd: null, Volumes: null, Healthcheck: { Test: ['NONE'] }, Unknown: 1 },
      rootfs: { type: 'layers', diff_ids: null },
      history: null,
      'moby.buildkit.x': 'kept',
    }),
    'it',
  );
  expect(config).toMatchObject({
    rootfs: { type: 'layers', diff_ids: [] },
    history: [],
    'moby.buildkit.x': 'kept',
    config: { Env: ['A=b'], Unknown: 1, Healthcheck: { Test: ['NONE'], Interval: 0, Retries: 0 } },
  });
  expect(config.config).not.toHaveProperty('Cmd');
});

test.each([
  [manifestSchema, { schemaVersion: 1, config: layer, layers: [] }, /schemaVersion/],
  [manifestSchema, { schemaVersion: 2, config: layer, layers: [{ ...layer, size: -1 }] }, /layers\.0\.size/],
  [manifestSchema, { schemaVersion: 2, config: layer, layers: [{ ...layer, size: 1e300 }] }, /layers\.0\.size/],
  [
    manifestSchema,
    { schemaVersion: 2, config: layer, layers: [{ ...layer, digest: 'sha256:../../x' }] },
    /digest: it is no sha256/,
  ],
  [manifestSchema, { schemaVersion: 2, config: layer, layers: Array.from({ length: 128 }, () => layer) }, /layers: /],
  [indexSchema, { schemaVersion: 2, manifests: [null] }, /manifests\.0/],
  [imageConfigSchema, { rootfs: { diff_ids: ['md5:x'] } }, /rootfs\.diff_ids\.0/],
  [imageConfigSchema, { rootfs: { type: 'other' } }, /rootfs\.type/],
  [imageConfigSchema, {}, /rootfs/],
  [imageConfigSchema, { rootfs: {}, config: { Env: 'A=b' } }, /config\.Env/],
  [dockerArchiveSchema, { Config: 'x' }, /it: /],
  [dockerArchiveSchema, [{ Layers: [] }], /0\.Config/],
  [manifestSchema, 'not json', /it is not JSON/],
  [manifestSchema, `"${'x'.repeat(DOCUMENT_MAX_BYTES)}"`, /larger than/],
] as const)('what does not fit is refused', (schema, value, message) => {
  expect(() => readDocument(schema, bytes(value), 'the document "d"')).toThrow(
    expect.objectContaining({ kind: 'invalid_argument', message: expect.stringMatching(message) }),
  );
});

test('attestations and other platforms are no image for this host', () => {
  const of = (os: string, architecture: string) => ({
    ...layer,
    digest: DIGEST as `sha256:${string}`,
    platform: { os, architecture },
  });
  expect(isForPlatform(of('linux', 'amd64'), 'linux', 'amd64')).toBe(true);
  expect(isForPlatform(of('unknown', 'unknown'), 'linux', 'amd64')).toBe(false);
  expect(isForPlatform(of('linux', 'arm64'), 'linux', 'amd64')).toBe(false);
});
