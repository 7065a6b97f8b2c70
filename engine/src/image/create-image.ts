// A new image of a layer that is made here: import's, commit's, a build step's. The layer is stored before anything refers to
// it; when something fails nothing of it is left.
import type { Digest } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import {
  type HistoryEntry,
  type ImageConfig,
  imageConfigSchema,
  LAYERS_MAX,
  MEDIA_TYPE,
} from '../model/image-manifest.ts';
import type { ImageDefaults } from '../model/image-defaults.ts';
import type { ImageContext } from './image-context.ts';
import { chainId } from './sha256.ts';
import type { StoredImage } from './stored-image.ts';

export interface CreateImage {
  /** null: from nothing. */
  readonly parent: StoredImage | null;
  /** A plain tar of what the layer changes; null: the configuration alone. */
  readonly layer: AsyncIterable<Uint8Array> | null;
  readonly defaults: ImageDefaults;
  readonly history: Omit<HistoryEntry, 'created' | 'empty_layer'>;
  readonly author?: string;
  readonly comment?: string;
  /** Id of the container it was made of. */
  readonly container?: string;
  /** Where it differs from the parent's, or the host's. */
  readonly platform?: { readonly os: string; readonly architecture: string };
}

/**
 * Makes the image. Its layer is kept as the plain tar that it came as, not compressed: its digest is its diff id then, it is
 * written and read at the speed of the disk, and one that is never pushed never pays for gzip. A push compresses.
 */
export async function createImage(context: ImageContext, asked: CreateImage): Promise<StoredImage> {
  const { store } = context;
  const { parent } = asked;
  if (asked.layer !== null && (parent?.chainIds.length ?? 0) >= LAYERS_MAX)
    throw new EngineError('conflict', `Cannot create image: max depth exceeded, ${LAYERS_MAX} layers is the most`);
  const releases = [store.layers.pins.pin(parent?.chainIds ?? [])];
  const blobs: Digest[] = [];
  const hold = (digest: Digest) => {
    releases.push(store.pins.pin([digest]));
    blobs.push(digest);
  };
  const chains = [...(parent?.chainIds ?? [])];
  try {
    const layers = [...(parent?.manifest.layers ?? [])];
    const diffIds = [...(parent?.config.rootfs.diff_ids ?? [])];
    if (asked.layer !== null) {
      const { digest, size } = await store.blobs.put(asked.layer);
      hold(digest);
      const below = chains.at(-1) ?? null;
      const chain = chainId(below, digest);
      releases.push(store.layers.pins.pin([chain]));
      chains.push(chain);
      await store.layers.ensure({
        chainId: chain,
        diffId: digest,
        parent: below,
        open: () => store.blobs.open(digest),
      });
      layers.push({ mediaType: MEDIA_TYPE.layer, digest, size });
      diffIds.push(digest);
    }
    const config = await store.blobs.putBytes(Buffer.from(JSON.stringify(configOf(context, asked, diffIds))));
    hold(config);
    return await store.add({ config, layers, ...(parent ? { parent: parent.id } : {}) });
  } finally {
    for (const release of releases) release();
    await store.discard(blobs, chains);
  }
}

function configOf({ platform: host }: ImageContext, asked: CreateImage, diffIds: Digest[]): ImageConfig {
  const { parent, history, author, comment, container } = asked;
  const created = new Date().toISOString();
  const { os, architecture } = asked.platform ?? parent?.config ?? host;
  return imageConfigSchema.parse({
    created,
    ...(author ? { author } : {}),
    ...(comment ? { comment } : {}),
    ...(container ? { container } : {}),
    architecture,
    ...(parent?.config.variant === undefined ? {} : { variant: parent.config.variant }),
    os,
    config: Object.fromEntries(Object.entries(asked.defaults).filter(([, value]) => value !== null)),
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: [
      ...(parent?.config.history ?? []),
      { created, ...history, ...(asked.layer === null ? { empty_layer: true } : {}) },
    ],
  });
}
