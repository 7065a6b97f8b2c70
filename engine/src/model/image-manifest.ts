// The documents an image consists of (opencontainers/image-spec: manifest, image-index, config; Docker's own media types and
// `docker save`'s manifest.json), read with bounds: they come from anywhere. Pure.
import { z } from 'zod';
import { type Digest, isDigest } from './digest.ts';
import { EngineError } from './engine-error.ts';
import type { ImageDefaults } from './image-defaults.ts';

/** Of any of these documents; registries draw the line there, too. */
export const DOCUMENT_MAX_BYTES = 4 * 2 ** 20;
/** overlayfs stacks 500 lower directories; Docker stops here, so nobody has images with more. */
export const LAYERS_MAX = 127;
const ENTRIES_MAX = 1024;

export const MEDIA_TYPE = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const;

export const isIndexType = (type: string): boolean => type === MEDIA_TYPE.index || type === MEDIA_TYPE.dockerList;
export const isManifestType = (type: string): boolean =>
  type === MEDIA_TYPE.manifest || type === MEDIA_TYPE.dockerManifest;

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value), 'it is no sha256 digest');
const text = z.string().max(2 ** 20);
const texts = z.array(text).max(10_000);
const map = z.record(text, text);
const set = z.record(text, z.looseObject({}));

const platform = z.looseObject({ architecture: text, os: text, variant: text.exactOptional() });

export const descriptorSchema = z.looseObject({
  mediaType: z.string().max(255).default(''),
  digest,
  size: z.int().min(0),
  annotations: map.exactOptional(),
  platform: platform.exactOptional(),
});
export type Descriptor = Readonly<z.infer<typeof descriptorSchema>>;

export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().exactOptional(),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(LAYERS_MAX),
  annotations: map.exactOptional(),
});
export type Manifest = Readonly<z.infer<typeof manifestSchema>>;

export const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.string().exactOptional(),
  manifests: z.array(descriptorSchema).max(ENTRIES_MAX),
});

const health = z.object({
  Test: texts.default([]),
  Interval: z.number().default(0),
  Timeout: z.number().default(0),
  Retries: z.number().default(0),
  StartPeriod: z.number().default(0),
  StartInterval: z.number().default(0),
});

const defaults = z.looseObject({
  User: text.exactOptional(),
  ExposedPorts: set.exactOptional(),
  Env: texts.exactOptional(),
  Entrypoint: texts.exactOptional(),
  Cmd: texts.exactOptional(),
  Volumes: set.exactOptional(),
  WorkingDir: text.exactOptional(),
  Labels: map.exactOptional(),
  StopSignal: text.exactOptional(),
  Healthcheck: health.exactOptional(),
  OnBuild: texts.exactOptional(),
  Shell: texts.exactOptional(),
  ArgsEscaped: z.boolean().exactOptional(),
}) satisfies z.ZodType<ImageDefaults>;

/** A `config` that a client sends: what is null or empty is not said. Throws invalid_argument. */
export function readImageDefaults(value: unknown): ImageDefaults {
  const fields = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const isSaid = (field: unknown) =>
    field !== null && field !== '' && !(typeof field === 'object' && Object.keys(field).length === 0);
  const read = defaults.safeParse(Object.fromEntries(fields.filter(([, field]) => isSaid(field))));
  if (!read.success)
    throw new EngineError('invalid_argument', `invalid JSON: ${read.error.issues[0]?.path.join('.')}: it does not fit`);
  const known = Object.keys(defaults.shape);
  return Object.fromEntries(Object.entries(read.data).filter(([key]) => known.includes(key)));
}

const historySchema = z.looseObject({
  created: text.exactOptional(),
  created_by: text.exactOptional(),
  author: text.exactOptional(),
  comment: text.exactOptional(),
  empty_layer: z.boolean().exactOptional(),
});
export type HistoryEntry = Readonly<z.infer<typeof historySchema>>;

export const imageConfigSchema = z.looseObject({
  created: text.exactOptional(),
  author: text.exactOptional(),
  architecture: text.default(''),
  variant: text.exactOptional(),
  os: text.default('linux'),
  'os.version': text.exactOptional(),
  config: defaults.default({}),
  rootfs: z.looseObject({
    type: z.literal('layers').default('layers'),
    diff_ids: z.array(digest).max(LAYERS_MAX).default([]),
  }),
  history: z.array(historySchema).max(ENTRIES_MAX).default([]),
  comment: text.exactOptional(),
  container: text.exactOptional(),
  docker_version: text.exactOptional(),
  parent: text.exactOptional(),
});
export type ImageConfig = Readonly<z.infer<typeof imageConfigSchema>>;

/** manifest.json of `docker save`: one entry an image; paths are inside the archive. */
export const dockerArchiveSchema = z
  .array(
    z.looseObject({ Config: text, RepoTags: texts.default([]), Layers: z.array(text).max(LAYERS_MAX).default([]) }),
  )
  .max(ENTRIES_MAX);
export type DockerArchive = z.infer<typeof dockerArchiveSchema>;

/**
 * Reads one of them. `what` names it in the error, which is invalid_argument: `Cannot read the manifest "x": layers.0.size: …`.
 * A null is as good as absent: Go writes its empty slices and maps so.
 */
export function readDocument<T extends z.ZodType>(schema: T, bytes: Uint8Array, what: string): z.output<T> {
  const refuse = (why: string, cause?: unknown) =>
    new EngineError('invalid_argument', `Cannot read ${what}: ${why}`, { cause });
  if (bytes.length > DOCUMENT_MAX_BYTES) throw refuse(`it is larger than ${DOCUMENT_MAX_BYTES} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (_key, value: unknown) =>
      value === null ? undefined : value,
    );
  } catch (error) {
    throw refuse('it is not JSON', error);
  }
  const read = schema.safeParse(parsed);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw refuse(`${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'does not fit'}`);
}

/** Whether an entry of an index is an image for this platform, and no attestation or the like. */
export function isForPlatform({ platform: its }: Descriptor, os: string, architecture: string): boolean {
  return its === undefined || (its.os === os && its.architecture === architecture);
}
