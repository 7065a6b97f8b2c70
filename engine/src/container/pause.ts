// Pauses and goes on: the freezer halts every process of the container where it stands.
import { EngineError } from '../model/engine-error.ts';
import type { LiveContainer } from './live-container.ts';

const conflict = (container: LiveContainer, why: string) =>
  new EngineError('conflict', `container ${container.id} ${why}`);

/** Throws conflict in Docker's words. */
export function pauseContainer(container: LiveContainer): Promise<void> {
  return container.inTurn(async () => {
    if (container.state.status === 'restarting')
      throw conflict(container, 'is restarting, wait until the container is running');
    if (container.state.status === 'paused') throw conflict(container, 'is already paused');
    if (container.running === null || container.group === null) throw conflict(container, 'is not running');
    await container.group.freeze();
    container.changeState({ status: 'paused' });
    container.publish('pause');
  });
}

/** Throws conflict in Docker's words. */
export function unpauseContainer(container: LiveContainer): Promise<void> {
  return container.inTurn(async () => {
    if (container.state.status !== 'paused' || container.group === null) throw conflict(container, 'is not paused');
    await container.group.thaw();
    container.changeState({ status: 'running' });
    container.publish('unpause');
  });
}
