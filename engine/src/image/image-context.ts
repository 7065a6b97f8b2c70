// What the operations on images share: the store, the events, the platform; and how each event names its image.
import type { Events } from '../container/events.ts';
import type { Digest } from '../model/digest.ts';
import type { ImageReference } from '../model/image-reference.ts';
import { familiarName } from '../model/image-reference.ts';
import type { Platform } from './archive-images.ts';
import type { ImageStore } from './store.ts';

export interface ImageContext {
  readonly store: ImageStore;
  readonly events: Events;
  readonly platform: Platform;
  /** Names an image, and tells. */
  tag(reference: ImageReference, id: Digest): void;
}

/** An event of an image: its labels, and `name`. */
export function publishImage(
  { store, events }: Pick<ImageContext, 'store' | 'events'>,
  action: string,
  id: Digest,
  name: string = id,
): void {
  events.publish('image', action, id, { ...store.get(id)?.config.config.Labels, name });
}

export function imageContext(store: ImageStore, events: Events, platform: Platform): ImageContext {
  const context: ImageContext = {
    store,
    events,
    platform,
    tag(reference, id) {
      store.tag(reference, id);
      publishImage(context, 'tag', id, familiarName(reference));
    },
  };
  return context;
}
