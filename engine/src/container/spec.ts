// Gathers what a container's OCI specification is made of: its configuration, files of /etc, mounts, limits, namespaces.
import type { OciSpec } from '../model/oci-spec.ts';
import type { ContainerContext } from './context.ts';
import { etcPaths } from './etc-files.ts';
import type { LiveContainer } from './live-container.ts';
import { joinedContainers } from './modes.ts';

/** As it would be started now. Throws conflict when a container it joins does not run. */
export async function makeSpec({ host, containers }: ContainerContext, container: LiveContainer): Promise<OciSpec> {
  const { id, config, hostConfig, mounts } = container.record;
  const joined = joinedContainers(containers, hostConfig);
  const { resources } = host.groups.supported(host.limits.oci(hostConfig));
  return host.buildSpec({
    id,
    config,
    hostConfig,
    rootfs: container.rootfs,
    mounts: host.volumes.mountsOf({ id, mounts, hostConfig }),
    files: etcPaths(container, joined.network),
    resources,
    cgroupsPath: container.group?.path ?? '',
    joined: {
      ...(joined.network?.running && { network: joined.network.running.pid }),
      ...(joined.ipc?.running && { ipc: joined.ipc.running.pid }),
      ...(joined.pid?.running && { pid: joined.pid.running.pid }),
    },
  });
}
