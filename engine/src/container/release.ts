// For a daemon that ends: lets go of all containers without ending any, and brings their records to the disk.
import type { ContainerContext } from './context.ts';
import { startNoMore } from './ended.ts';

export async function releaseContainers({ containers, store }: ContainerContext): Promise<void> {
  for (const container of containers.all()) {
    startNoMore(container); // its state is still "restarting": the next daemon goes on
    container.stopHealth?.();
    container.stopOom?.();
    container.running?.release();
  }
  await store.sync();
}
