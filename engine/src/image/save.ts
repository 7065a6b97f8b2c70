// `docker save`: images as one archive that is both an OCI layout and what `docker load` of any age takes, as Docker 25 and
// later write it. Blobs go in as they are, each once; the same images give the same bytes.
import { type ByteString, bytes } from '../kernel/byte-string.ts';
import type { Digest } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import { type Descriptor, MEDIA_TYPE } from '../model/image-manifest.ts';
import {
  canonicalName,
  completed,
  familiarName,
  type ImageReference,
  parseReference,
} from '../model/image-reference.ts';
import { type ImageContext, publishImage } from './image-context.ts';
import { blobsOf, type StoredImage } from './stored-image.ts';
import { END_OF_ARCHIVE, entryHeader, paddingBytes } from './tar/entry-header.ts';
import type { TarEntry } from './tar/reader.ts';

interface Chosen {
  readonly image: StoredImage;
  /** The names it was asked for by; none where it was asked for by its id. */
  readonly names: ImageReference[];
}

/** What is asked for, found before the first byte is sent. Throws not_found. A name without tag means all of its tags. */
function choose({ store }: ImageContext, asked: readonly string[]): Chosen[] {
  const chosen = new Map<Digest, Chosen>();
  for (const name of asked) {
    for (const { image, reference } of meant(name)) {
      const entry = chosen.get(image.id) ?? { image, names: [] };
      if (reference && !entry.names.some((one) => canonicalName(one) === canonicalName(reference)))
        entry.names.push(reference);
      chosen.set(image.id, entry);
    }
  }
  return [...chosen.values()];

  function meant(name: string): { image: StoredImage; reference?: ImageReference }[] {
    let asked: ImageReference;
    try {
      asked = parseReference(name);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      return [{ image: store.lookup(name) }]; // an id is no name
    }
    if (asked.tag === undefined && asked.digest === undefined) {
      const tagged = store.references
        .tagsOf(asked)
        .map((reference) => ({ image: store.lookup(familiarName(reference)), reference }));
      return tagged.length > 0 ? tagged : [{ image: store.lookup(name) }];
    }
    const image = store.lookup(name);
    const whole = completed(asked);
    return whole.tag === undefined || store.references.get(whole) === undefined
      ? [{ image }]
      : [{ image, reference: whole }];
  }
}

/** The archive of these images. Throws before the first byte for one that is not there. */
export function saveImages(context: ImageContext, asked: readonly string[]): AsyncIterable<Uint8Array> {
  const chosen = choose(context, asked);
  const blobs = [...new Set(chosen.flatMap(({ image }) => blobsOf(image)))].sort();
  return archive();

  async function* archive(): AsyncGenerator<Uint8Array> {
    const release = context.store.pins.pin(blobs);
    try {
      yield* tarOf(context, chosen, blobs);
      for (const { image } of chosen) publishImage(context, 'save', image.id);
    } finally {
      release();
      // Of an image that was removed meanwhile.
      await context.store.discard(blobs, []);
    }
  }
}

const MADE = { sec: 0, nsec: 0 };

function header(path: string, type: 'file' | 'directory', size: number): Buffer {
  const entry: TarEntry = {
    path: bytes(path),
    type,
    mode: type === 'directory' ? 0o755 : 0o644,
    uid: 0,
    gid: 0,
    size,
    mtime: MADE,
    link: '' as ByteString,
    devMajor: 0,
    devMinor: 0,
    xattrs: [],
  };
  return entryHeader(entry);
}

function* document(path: string, content: unknown): Generator<Buffer> {
  const text = Buffer.from(JSON.stringify(content));
  yield header(path, 'file', text.length);
  yield Buffer.concat([text, Buffer.alloc(paddingBytes(text.length))]);
}

const blobPath = (digest: Digest): string => `blobs/${digest.replace(':', '/')}`;

async function* tarOf(
  { store }: ImageContext,
  chosen: readonly Chosen[],
  blobs: readonly Digest[],
): AsyncGenerator<Buffer> {
  yield header('blobs/', 'directory', 0);
  yield header('blobs/sha256/', 'directory', 0);
  for (const blob of blobs) {
    const size = store.blobs.sizeBytes(blob);
    yield header(blobPath(blob), 'file', size);
    for await (const chunk of store.blobs.open(blob)) yield chunk as Buffer;
    yield Buffer.alloc(paddingBytes(size));
  }
  const manifests = chosen.flatMap(({ image, names }) => descriptorsOf(image, names));
  yield* document('index.json', { schemaVersion: 2, mediaType: MEDIA_TYPE.index, manifests });
  yield* document('manifest.json', chosen.map(dockerEntry));
  yield* document('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield END_OF_ARCHIVE;

  function descriptorsOf({ record, manifest }: StoredImage, names: readonly ImageReference[]): object[] {
    const described = {
      mediaType: manifest.mediaType ?? MEDIA_TYPE.manifest,
      digest: record.manifest,
      size: store.blobs.sizeBytes(record.manifest),
    };
    if (names.length === 0) return [described];
    return names.map((name) => ({
      ...described,
      annotations: {
        'io.containerd.image.name': canonicalName(name),
        'org.opencontainers.image.ref.name': name.tag,
      },
    }));
  }
}

function dockerEntry({ image, names }: Chosen): object {
  const sources: [string, Descriptor][] = image.manifest.layers.map((layer, index) => [
    image.config.rootfs.diff_ids[index] ?? '',
    { mediaType: layer.mediaType, digest: layer.digest, size: layer.size },
  ]);
  return {
    Config: blobPath(image.id),
    RepoTags: names.length > 0 ? names.map(familiarName) : null,
    Layers: image.manifest.layers.map(({ digest }) => blobPath(digest)),
    LayerSources: Object.fromEntries(sources),
  };
}
