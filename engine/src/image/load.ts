// `docker load`: the images of an archive become images of the store, under the names they have there.
import { readSync, openSync, closeSync } from 'node:fs';
import type { Digest } from '../model/digest.ts';
import { shortId } from '../model/digest.ts';
import { type Descriptor, MEDIA_TYPE } from '../model/image-manifest.ts';
import { familiarName } from '../model/image-reference.ts';
import { type ArchiveImage, imagesOf } from './archive-images.ts';
import { ArchiveSpool, type SpooledFile } from './archive-spool.ts';
import { type ImageContext, publishImage } from './image-context.ts';
import type { ProgressMessage } from './progress.ts';
import { chainIds } from './sha256.ts';
import type { StoredImage } from './stored-image.ts';
import { type Compression, compressionOf, uncompressed } from './uncompressed.ts';

/** Loads an archive: `docker save`'s of any age, or an OCI layout's; with or without compression. Images that were loaded
 * before one of them failed stay. Throws invalid_argument for an archive that is damaged or lies. */
export async function loadImages(
  context: ImageContext,
  archive: AsyncIterable<Uint8Array>,
  tell: (message: ProgressMessage) => void,
): Promise<StoredImage[]> {
  const spool = await ArchiveSpool.read(context.store.blobs, archive);
  try {
    const loaded: StoredImage[] = [];
    for (const image of imagesOf(spool, context.platform)) loaded.push(await loadOne(context, image, tell));
    return loaded;
  } finally {
    spool.dispose();
  }
}

async function loadOne(
  context: ImageContext,
  { names, config, document, layers, manifest }: ArchiveImage,
  tell: (message: ProgressMessage) => void,
): Promise<StoredImage> {
  const { store } = context;
  const { diff_ids: diffIds } = document.rootfs;
  const chains = chainIds(diffIds);
  const files = [config, ...layers, ...(manifest ? [manifest.file] : [])];
  const blobs = files.map(({ digest }) => digest);
  const releases = [store.pins.pin(blobs), store.layers.pins.pin(chains)];
  try {
    for (const file of files) await adopt(context, file);
    const descriptors: Descriptor[] = [];
    for (const [index, layer] of layers.entries()) {
      const [chainId, diffId] = [chains[index] as Digest, diffIds[index] as Digest];
      const isNew = !store.layers.has(chainId);
      await store.layers.ensure({
        chainId,
        diffId,
        parent: index === 0 ? null : (chains[index - 1] as Digest),
        open: () => store.blobs.open(layer.digest),
      });
      if (isNew) tell(layerProgress(diffId, layer.size));
      descriptors.push(await describe(context, layer));
    }
    releases.push(store.pins.pin(descriptors.map(({ digest }) => digest)));
    const image = await store.add({
      config: config.digest,
      layers: descriptors,
      ...(manifest ? { manifest: manifest.file.digest } : {}),
    });
    publishImage(context, 'load', image.id);
    for (const name of names) {
      context.tag(name, image.id);
      tell({ stream: `Loaded image: ${familiarName(name)}\n` });
    }
    if (names.length === 0) tell({ stream: `Loaded image ID: ${image.id}\n` });
    return image;
  } finally {
    for (const release of releases) release();
    // All of it is an image's now, or the load failed.
    await store.discard(blobs, chains);
  }
}

const layerProgress = (diffId: Digest, size: number): ProgressMessage => ({
  status: 'Loading layer',
  progressDetail: { current: size, total: size },
  id: shortId(diffId),
});

/** A member that two images share was taken by the first. */
async function adopt({ store }: ImageContext, file: SpooledFile): Promise<void> {
  if (!store.blobs.has(file.digest)) await store.blobs.adopt(file.path, file.digest);
}

const TYPES: Readonly<Partial<Record<Compression, string>>> = {
  none: MEDIA_TYPE.layer,
  gzip: MEDIA_TYPE.layerGzip,
  zstd: MEDIA_TYPE.layerZstd,
};

/** Blobs stay as they came: packed once more they would have another digest, and no registry would know them. What no media
 * type names (xz, bzip2) is kept without its compression. */
async function describe({ store }: ImageContext, { digest, size }: SpooledFile): Promise<Descriptor> {
  const head = Buffer.alloc(6);
  const fd = openSync(store.blobs.path(digest), 'r');
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  const mediaType = TYPES[compressionOf(head)];
  if (mediaType !== undefined) return { mediaType, digest, size };
  const plain = await store.blobs.put(uncompressed(store.blobs.open(digest)));
  return { mediaType: MEDIA_TYPE.layer, ...plain };
}
