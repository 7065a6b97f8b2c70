// Removes every container that does not run.
import type { ContainerContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';
import { removeContainer } from './remove.ts';

/** Ids of those that went, and the bytes of their writable layers. */
export async function pruneContainers(
  context: ContainerContext,
  isWanted: (container: LiveContainer) => boolean,
): Promise<{ ids: string[]; bytes: number }> {
  const ids: string[] = [];
  let bytes = 0;
  for (const container of context.containers.all()) {
    if (container.isUp || container.isRemoving || !isWanted(container)) continue;
    try {
      const size = await context.host.graph.sizeBytes(container.id);
      await removeContainer(context, container, { force: false, withVolumes: false });
      ids.push(container.id);
      bytes += size;
    } catch (error) {
      // It was started or removed meanwhile: the others go all the same.
      context.host.log.warn(error, `container ${container.name} was not pruned`);
    }
  }
  context.host.events.publish('container', 'prune', '', { reclaimed: String(bytes) });
  return { ids, bytes };
}
