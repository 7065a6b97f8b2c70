// Which images an archive holds, in whichever form: manifest.json of `docker save` (of skopeo, buildah …), or the index.json of
// an OCI layout. Docker 25 and later write both: the names of the one, the manifests of the other.
import { posix } from 'node:path';
import type { Digest } from '../model/digest.ts';
import { isDigest } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import {
  type Descriptor,
  dockerArchiveSchema,
  type ImageConfig,
  imageConfigSchema,
  indexSchema,
  isForPlatform,
  isIndexType,
  isManifestType,
  type Manifest,
  manifestSchema,
} from '../model/image-manifest.ts';
import { completed, type ImageReference, parseReference } from '../model/image-reference.ts';
import type { ArchiveSpool, SpooledFile } from './archive-spool.ts';

export interface ArchiveImage {
  readonly names: readonly ImageReference[];
  readonly config: SpooledFile;
  readonly document: ImageConfig;
  /** One for each diff id, lowest first. */
  readonly layers: readonly SpooledFile[];
  /** Its own manifest, when the archive has one. */
  readonly manifest?: { readonly file: SpooledFile; readonly document: Manifest };
}

export interface Platform {
  readonly os: string;
  readonly architecture: string;
}

const INDEX_DEPTH_MAX = 4;
const refuse = (why: string): EngineError => new EngineError('invalid_argument', `Cannot load images: ${why}`);

/** Throws invalid_argument for an archive that holds none, or lacks a part of one. */
export function imagesOf(spool: ArchiveSpool, platform: Platform): ArchiveImage[] {
  const index = spool.file('index.json');
  const manifest = spool.file('manifest.json');
  if (manifest) return dockerImages(spool, manifest, index ? ociManifests(spool, index, platform) : []);
  if (index) return ociImages(spool, index, platform);
  throw refuse('the archive has neither a manifest.json (docker save) nor an index.json (OCI layout)');
}

function imageOf(
  spool: ArchiveSpool,
  config: SpooledFile,
  layers: readonly SpooledFile[],
  names: readonly ImageReference[],
): ArchiveImage {
  const document = spool.document(imageConfigSchema, config, `the configuration "${config.digest}"`);
  const expected = document.rootfs.diff_ids.length;
  if (layers.length !== expected)
    throw refuse(`invalid manifest, layers length mismatch: expected ${expected}, got ${layers.length}`);
  return { names, config, document, layers };
}

interface FoundManifest {
  readonly descriptor: Descriptor;
  readonly file: SpooledFile;
  readonly document: Manifest;
}

function dockerImages(spool: ArchiveSpool, file: SpooledFile, found: readonly FoundManifest[]): ArchiveImage[] {
  return spool.document(dockerArchiveSchema, file, 'manifest.json').map(({ Config, RepoTags, Layers }) => {
    const config = spool.need(Config);
    checkNamedByDigest(Config, config);
    const layers = Layers.map((name) => spool.need(name));
    const image = imageOf(
      spool,
      config,
      layers,
      RepoTags.map((tag) => completed(parseReference(tag))),
    );
    // docker save writes uncompressed layers beside a manifest of compressed ones when it knows them: then it is not of these.
    const manifest = found.find(
      ({ document }) =>
        document.config.digest === config.digest &&
        document.layers.map(({ digest }) => digest).join() === layers.map(({ digest }) => digest).join(),
    );
    return manifest ? { ...image, manifest } : image;
  });
}

/** "HEX.json" and "blobs/sha256/HEX" promise a digest. */
function checkNamedByDigest(name: string, file: SpooledFile): void {
  const promised = `sha256:${posix.basename(name, '.json')}`;
  if (isDigest(promised) && promised !== file.digest)
    throw refuse(`the bytes of "${name}" have the digest ${file.digest}`);
}

function ociManifests(spool: ArchiveSpool, index: SpooledFile, platform: Platform): FoundManifest[] {
  const found: FoundManifest[] = [];
  const visit = (file: SpooledFile, inherited: Descriptor['annotations'], depth: number): void => {
    if (depth > INDEX_DEPTH_MAX) throw refuse('its indexes are nested too deeply');
    const { manifests } = spool.document(indexSchema, file, 'index.json');
    // Attestations, and the images of other platforms, may have been left out of the archive: they are not asked for.
    for (const entry of manifests.filter((one) => isForPlatform(one, platform.os, platform.architecture))) {
      const descriptor = { ...entry, annotations: { ...inherited, ...entry.annotations } };
      if (isIndexType(entry.mediaType)) visit(spool.blob(entry.digest), descriptor.annotations, depth + 1);
      else if (isManifestType(entry.mediaType)) {
        const blob = spool.blob(entry.digest);
        found.push({
          descriptor,
          file: blob,
          document: spool.document(manifestSchema, blob, `manifest "${entry.digest}"`),
        });
      }
    }
  };
  visit(index, undefined, 1);
  return found;
}

function ociImages(spool: ArchiveSpool, index: SpooledFile, platform: Platform): ArchiveImage[] {
  const byManifest = new Map<Digest, ArchiveImage>();
  for (const { descriptor, file, document } of ociManifests(spool, index, platform)) {
    const known = byManifest.get(file.digest);
    const names = [...(known?.names ?? []), ...namesIn(descriptor.annotations ?? {})];
    const image = known ?? {
      ...imageOf(
        spool,
        spool.blob(document.config.digest),
        document.layers.map((layer) => spool.blob(layer.digest)),
        [],
      ),
      manifest: { file, document },
    };
    byManifest.set(file.digest, { ...image, names });
  }
  if (byManifest.size === 0) throw refuse(`the archive has no image for ${platform.os}/${platform.architecture}`);
  return [...byManifest.values()];
}

/** containerd writes the whole name; the specification's annotation is a whole name for some writers, a mere tag for others. */
function namesIn(annotations: Readonly<Record<string, string>>): ImageReference[] {
  const whole = annotations['io.containerd.image.name'];
  const reference = annotations['org.opencontainers.image.ref.name'] ?? '';
  const name = whole ?? (/[/:]/.test(reference) ? reference : undefined);
  return name === undefined ? [] : [completed(parseReference(name))];
}
