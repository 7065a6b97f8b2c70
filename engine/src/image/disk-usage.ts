// What images take of the disk, for `docker system df`.
import type { ImageContext } from './image-context.ts';
import { listImages } from './list.ts';

/** All images with what they share, and the bytes of their layers, each counted once. */
export async function imageUsage(context: ImageContext) {
  const { store } = context;
  const images = await listImages(context, { all: false, sharedSize: true, filters: { matchesLabels: () => true } });
  let layersBytes = 0;
  for (const chain of new Set(store.all().flatMap(({ chainIds }) => chainIds)))
    layersBytes += await store.layers.sizeBytes(chain);
  return {
    layersBytes,
    images: images.map((image) => ({ ...image, Containers: store.usersOf(image.Id).length })),
  };
}
