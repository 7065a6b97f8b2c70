// Gives a container another name.
import { checkedName } from '../model/container-name.ts';
import { EngineError } from '../model/engine-error.ts';
import type { ContainerContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';

/** Throws invalid_argument and conflict in Docker's words. */
export function renameContainer({ containers }: ContainerContext, container: LiveContainer, to: string): Promise<void> {
  if (to === '') throw new EngineError('invalid_argument', 'Neither old nor new names may be empty');
  const name = checkedName(to);
  return container.inTurn(() => {
    const oldName = container.name;
    if (name === oldName)
      throw new EngineError('invalid_argument', 'Renaming a container with the same name as its current name');
    if (container.isRemoving)
      throw new EngineError('conflict', `container ${container.id} is marked for removal and cannot be renamed`);
    containers.reserve(name, container.id);
    try {
      container.change({ name });
    } catch (error) {
      containers.release(name, container.id);
      throw error;
    }
    containers.release(oldName, container.id);
    container.publish('rename', { oldName: `/${oldName}` });
  });
}
