// What every verb gets besides the container it is about. Types only.
import type { Containers } from './containers.ts';
import type { ContainerHost } from './host.ts';
import type { ContainerStore } from './store.ts';

export interface ContainerContext {
  readonly host: ContainerHost;
  readonly store: ContainerStore;
  readonly containers: Containers;
  /** Containers that are being made, with their images: an image in use this way must not go either. */
  readonly making: Map<string, string>;
}
