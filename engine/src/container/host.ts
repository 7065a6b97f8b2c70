// What the containers' verbs are given: every other part of the engine they use, as interfaces. Types only.
import type { Logger } from 'pino';
import type { GraphDriver, RootfsMount } from '../image/graph-driver.ts';
import type { ImageSource } from '../image/image-source.ts';
import type { ContainerGroups } from '../kernel/cgroup/container-group.ts';
import type { ContainerResources, HostConfig, MountPoint } from '../model/container-config.ts';
import type { OciMount, OciResources, OciSpec } from '../model/oci-spec.ts';
import type { ExecDriver } from '../runtime/driver.ts';
import type { SpecInput } from '../runtime/spec-input.ts';
import type { MountPlan } from '../volume/mount-plan.ts';
import type { MountedContainer } from '../volume/volume-mounts.ts';
import type { Events } from './events.ts';

export interface ContainerHost {
  /** State that outlives the machine's boot: records, logs, writable layers. */
  readonly root: string;
  /** State that lives as long as the machine is up, on a tmpfs: keepers. */
  readonly run: string;
  readonly images: ImageSource;
  /** Bytes of all layers of an image; 0 when it is gone. */
  readonly imageBytes: (imageId: string) => Promise<number>;
  readonly graph: GraphDriver;
  readonly groups: ContainerGroups;
  readonly volumes: ContainerVolumes;
  /** By the name that --runtime gives. */
  readonly drivers: ReadonlyMap<string, ExecDriver>;
  readonly defaultDriver: string;
  readonly buildSpec: (input: SpecInput) => OciSpec | Promise<OciSpec>;
  readonly limits: Limits;
  readonly events: Events;
  readonly log: Logger;
}

export interface Limits {
  /** Throws invalid_argument in Docker's words; what it gives back has what follows filled in, and is without what this host
   * can't enforce: the warnings say so. */
  ofNew(hostConfig: HostConfig): { readonly hostConfig: HostConfig; readonly warnings: string[] };
  /** Throws invalid_argument and conflict in Docker's words. Empty fields of `asked` are left as they are. */
  changed(
    hostConfig: HostConfig,
    asked: ContainerResources,
  ): { readonly hostConfig: HostConfig; readonly warnings: string[] };
  oci(hostConfig: HostConfig): OciResources;
}

/** Who uses which volume; volume/volumes.ts is it. */
export interface ContainerVolumes {
  /** Makes what a new container asks for, fills new volumes from its root, and notes that it uses them. */
  acquire(containerId: string, plan: MountPlan, rootfs: RootfsMount): Promise<MountPoint[]>;
  /** Before each start, and for one found running after a restart: mounts what is to be mounted on the host. */
  attach(container: MountedContainer): Promise<void>;
  /** After each end. */
  detach(containerId: string): Promise<void>;
  /** As the specification has them, parents before children. */
  mountsOf(container: MountedContainer): OciMount[];
  /** For a container found again after a restart. */
  adopt(containerId: string, mounts: readonly MountPoint[]): void;
  /** After a crash that cut the making of a container short. */
  removeMadeFor(containerId: string): Promise<void>;
  /** The container uses its volumes no more. */
  release(containerId: string): void;
  /** The same, and removes its anonymous volumes. */
  releaseAndRemove(containerId: string, mounts: readonly MountPoint[]): Promise<void>;
}
