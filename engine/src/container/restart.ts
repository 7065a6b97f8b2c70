// Stops a container where it runs, and starts it.
import { EngineError } from '../model/engine-error.ts';
import type { ContainerContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';
import { startContainer } from './start.ts';
import { type StopAsk, stopContainer } from './stop.ts';

/** Throws as start does. */
export async function restartContainer(
  context: ContainerContext,
  container: LiveContainer,
  ask: StopAsk = {},
): Promise<void> {
  const keep = container.holdRemoval();
  try {
    await stopContainer(container, ask).catch((error: unknown) => {
      if (!(error instanceof EngineError && error.kind === 'not_modified')) throw error;
    });
    await startContainer(context, container);
  } finally {
    keep.release();
  }
  container.publish('restart');
}
