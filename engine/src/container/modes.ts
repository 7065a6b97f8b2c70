// Namespace modes that name another container: "container:web" of NetworkMode, IpcMode and PidMode.
import type { HostConfig } from '../model/container-config.ts';
import { EngineError } from '../model/engine-error.ts';
import type { Container, ContainerFinder } from './container.ts';

/** "web" of "container:web"; null for any other mode. */
export const containerOfMode = (mode: string): string | null =>
  mode.startsWith('container:') ? mode.slice('container:'.length) : null;

/** Names become ids, since names can change. Throws not_found for a container that is not there. */
export function resolveModes(context: { readonly containers: ContainerFinder }, hostConfig: HostConfig): HostConfig {
  const resolved = (mode: string): string => {
    const other = containerOfMode(mode);
    return other === null ? mode : `container:${context.containers.find(other).id}`;
  };
  return {
    ...hostConfig,
    NetworkMode: resolved(hostConfig.NetworkMode),
    IpcMode: resolved(hostConfig.IpcMode),
    PidMode: resolved(hostConfig.PidMode),
  };
}

/** The running containers whose namespaces are joined. Throws conflict in Docker's words for one that does not run. */
export function joinedContainers(
  finder: ContainerFinder,
  hostConfig: HostConfig,
): { network?: Container; ipc?: Container; pid?: Container } {
  const running = (mode: string, what: string): Container | undefined => {
    const other = containerOfMode(mode);
    if (other === null) return undefined;
    const container = finder.find(other);
    if (container.running === null)
      throw new EngineError('conflict', `cannot join ${what} of a non running container: ${container.id}`);
    if (what === 'IPC' && container.record.hostConfig.IpcMode === 'private')
      throw new EngineError(
        'conflict',
        `cannot join IPC of a container with a non-shareable IPC: ${container.id} (hint: use IpcMode:shareable for the donor container)`,
      );
    return container;
  };
  const network = running(hostConfig.NetworkMode, 'network');
  const ipc = running(hostConfig.IpcMode, 'IPC');
  const pid = running(hostConfig.PidMode, 'PID');
  return { ...(network && { network }), ...(ipc && { ipc }), ...(pid && { pid }) };
}
