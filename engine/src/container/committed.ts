// A container as `docker commit` reads it: its configuration, and what it changed as a layer's tar. It is frozen meanwhile,
// unless it was asked not to be, so that no file is half-written.
import type { Committed } from '../image/commit.ts';
import { layerTar } from '../image/layer-tar.ts';
import type { ContainerConfig } from '../model/container-config.ts';
import { isDigest } from '../model/digest.ts';
import type { ImageDefaults } from '../model/image-defaults.ts';
import type { ContainerContext } from './context.ts';

function defaultsOf(config: ContainerConfig): ImageDefaults {
  const { User, Env, Cmd, Entrypoint, Volumes, WorkingDir, Labels, OnBuild } = config;
  const { ExposedPorts, StopSignal, Healthcheck, Shell } = config;
  return {
    User,
    Env,
    Cmd,
    Entrypoint,
    Volumes,
    WorkingDir,
    Labels,
    OnBuild,
    ...(ExposedPorts && { ExposedPorts }),
    ...(StopSignal !== undefined && { StopSignal }),
    ...(Healthcheck && { Healthcheck }),
    ...(Shell && { Shell }),
  };
}

/** Throws not_found for a container that is none; else as the action does. */
export async function withCommitted<T>(
  { containers, host }: ContainerContext,
  ask: { readonly container: string; readonly pause: boolean; readonly comment: string },
  action: (committed: Committed) => Promise<T>,
): Promise<T> {
  const container = containers.find(ask.container);
  const { id, record } = container;
  // In turn: its end, which takes the group away, comes before or after.
  const frozen = await container.inTurn(async () => {
    const { group, state } = container;
    if (!ask.pause || state.status !== 'running' || group === null) return null;
    await group.freeze();
    return group;
  });
  try {
    const result = await action({
      containerId: id,
      imageId: isDigest(record.imageId) ? record.imageId : null,
      defaults: defaultsOf(record.config),
      changes: layerTar(host.graph.differences(id)),
    });
    container.publish('commit', { comment: ask.comment });
    return result;
  } finally {
    if (frozen)
      await container.inTurn(async () => {
        if (container.group === frozen) await frozen.thaw();
      });
  }
}
