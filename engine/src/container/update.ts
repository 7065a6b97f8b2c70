// Changes a container's limits and restart policy, also while it runs.
import type { ContainerResources, RestartPolicy } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import { checkRestartPolicy } from '../model/restart-policy.ts';
import type { ContainerContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';

export interface UpdateAsk {
  /** Fields that are empty (0, "", null, []) are left as they are. */
  readonly resources: ContainerResources;
  /** Name "" leaves it. */
  readonly restartPolicy: RestartPolicy;
}

/** Throws invalid_argument and conflict in Docker's words; warnings are for the answer. */
export function updateContainer(
  { host }: ContainerContext,
  container: LiveContainer,
  { resources, restartPolicy }: UpdateAsk,
): Promise<string[]> {
  checkRestartPolicy(restartPolicy);
  return container.inTurn(() => {
    const { hostConfig } = container.record;
    if (container.isRemoving || container.state.status === 'dead')
      throw refused(container, 'container is marked for removal and cannot be "update"');
    if (restartPolicy.Name !== '' && hostConfig.AutoRemove)
      throw refused(container, 'Restart policy cannot be updated because AutoRemove is enabled for the container');
    const { hostConfig: limited, warnings } = limits(host, container, resources);
    const changed = { ...limited, ...(restartPolicy.Name !== '' && { RestartPolicy: restartPolicy }) };
    container.group?.update(host.groups.supported(host.limits.oci(changed)).resources);
    container.change({ hostConfig: changed });
    container.publish('update');
    return warnings;
  });
}

const refused = (container: LiveContainer, why: string): EngineError =>
  new EngineError('conflict', `Cannot update container ${container.id}: ${why}`);

function limits({ limits }: ContainerContext['host'], container: LiveContainer, asked: ContainerResources) {
  try {
    return limits.changed(container.record.hostConfig, asked);
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'conflict') throw refused(container, error.message);
    throw error;
  }
}
