// What the containers need of the images. Types only; store.ts implements it.
import type { ImageDefaults } from '../model/image-defaults.ts';

export type { ImageDefaults };

export interface Image {
  /** "sha256:…", digest of the configuration. */
  readonly id: string;
  readonly defaults: ImageDefaults;
  readonly os: string;
  readonly architecture: string;
  /** The topmost layer as the graph driver knows it (its chain id); null for an image without layers. */
  readonly topLayer: string | null;
  /** Names it has now: "busybox:latest". */
  readonly references: readonly string[];
}

export interface ImageSource {
  /** By reference, id or unique prefix of an id. Throws not_found "No such image: x:latest" (docker-api.md). */
  find(reference: string): Image;
  /** Is called before an image is removed: ids of the containers that use it, and whether they run. */
  usedBy(ask: (imageId: string) => { readonly id: string; readonly running: boolean }[]): void;
}
