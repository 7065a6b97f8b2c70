// What the OCI specification of a container is made of: container/start.ts gathers it, runtime/spec.ts makes the
// specification (`buildSpec(input): OciSpec`), without looking anything up but the users of the root file system. Types only.
import type { RootfsMount } from '../image/graph-driver.ts';
import type { ContainerConfig, HostConfig } from '../model/container-config.ts';
import type { OciMount, OciResources } from '../model/oci-spec.ts';

export interface SpecInput {
  /** 64 hex digits. */
  readonly id: string;
  /** Filled up from the image; Hostname is never empty (a host's or another container's name is left alone by their modes). */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Where `User` and GroupAdd names are looked up: etc/passwd and etc/group of the image, or of what the container made. */
  readonly rootfs: RootfsMount;
  /** Binds, volumes and tmpfs of -v, --mount, --tmpfs, --volumes-from, parents before children: mounted after /proc, /dev, /sys
   * and before `files` (a mount of the same destination takes a file's place). */
  readonly mounts: readonly OciMount[];
  /** Host paths of the files that Docker binds to /etc/hostname, /etc/hosts and /etc/resolv.conf, by destination. */
  readonly files: Readonly<Record<string, string>>;
  /** Already without what this host can't enforce (ContainerGroups.supported). */
  readonly resources: OciResources;
  /** ContainerGroup.path. */
  readonly cgroupsPath: string;
  /** Host pids of the containers whose namespaces are joined (`container:X` of NetworkMode, IpcMode, PidMode). */
  readonly joined: { readonly network?: number; readonly ipc?: number; readonly pid?: number };
}
