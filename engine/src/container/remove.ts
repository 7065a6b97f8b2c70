// Removes a container. It is gone once its record is: what a crash leaves after that, the next start collects.
import { rmSync } from 'node:fs';
import { EngineError } from '../model/engine-error.ts';
import { SIGKILL } from '../model/signal.ts';
import type { ContainerContext } from './context.ts';
import { noteEnd, startNoMore } from './ended.ts';
import type { LiveContainer } from './live-container.ts';
import { send, thawToEnd } from './signal.ts';

export interface RemoveAsk {
  readonly force: boolean;
  /** Its anonymous volumes go too. */
  readonly withVolumes: boolean;
}

/** Throws conflict in Docker's words for one that runs, unless `force`. */
export async function removeContainer(
  context: ContainerContext,
  container: LiveContainer,
  { force, withVolumes }: RemoveAsk,
): Promise<void> {
  if (container.isRemoving) {
    throw new EngineError('conflict', `removal of container ${container.name} is already in progress`);
  }
  if (container.isUp && !force) {
    const { status } = container.state;
    const first = status === 'paused' ? 'unpause and then stop' : 'stop';
    throw new EngineError(
      'conflict',
      `cannot remove container "${container.name}": container is ${status}: ${first} the container before removing or force remove`,
    );
  }
  await container.inTurn(async () => {
    startNoMore(container);
    if (container.running !== null) {
      container.changeState({ manuallyStopped: true });
      await send(container, SIGKILL);
      await thawToEnd(container);
      await noteEnd(context, container, container.running, await container.running.kept.exit);
    }
    await removeInTurn(context, container, { withVolumes });
  });
}

/** In turn, for one that does not run. A container that can't be removed whole is `dead`: it can be tried again. */
export async function removeInTurn(
  context: ContainerContext,
  container: LiveContainer,
  { withVolumes }: { withVolumes: boolean },
): Promise<void> {
  const { store, containers, host } = context;
  if (container.isRemoved || container.isHeld) return;
  const { id, mounts } = container.record;
  store.beginRemoval(id, withVolumes);
  container.isRemoving = true;
  container.removalError = null;
  try {
    await host.graph.remove(id);
    if (withVolumes) await host.volumes.releaseAndRemove(id, mounts);
    else host.volumes.release(id);
    rmSync(container.runDirectory, { recursive: true, force: true });
    store.forget(id);
  } catch (error) {
    container.removalError = error instanceof Error ? error.message : String(error);
    container.changeState({ status: 'dead' });
    container.isRemoving = false;
    container.tell('removal-failed');
    throw error;
  }
  containers.drop(container);
  container.isRemoved = true;
  container.publish('destroy');
  container.tell('removed');
}
