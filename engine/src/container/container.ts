// What the verbs (start, stop, logs, attach, exec, copy, commit …) see of a container. Types only; containers.ts keeps them.
import type { RootfsMount } from '../image/graph-driver.ts';
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import type { ContainerConfig, HostConfig, MountPoint } from '../model/container-config.ts';
import type { OciSpec } from '../model/oci-spec.ts';
import type { RunningContainer } from '../runtime/driver.ts';

/** What is written to disk of a container: all that a restart of the daemon or the machine needs. */
export interface ContainerRecord {
  /** 64 hex digits. */
  readonly id: string;
  /** Without a slash. */
  readonly name: string;
  readonly createdAtMs: number;
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Networks asked for by name (moby's swagger, EndpointSettings), as given. */
  readonly networks: Readonly<Record<string, object>>;
  /** "sha256:…" */
  readonly imageId: string;
  readonly mounts: readonly MountPoint[];
  readonly state: ContainerState;
}

export interface ContainerState {
  readonly status: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Why the last start failed; "" when it did not. */
  readonly error: string;
  /** null: never. */
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
  readonly restartCount: number;
  /** Ended by stop or kill: unless-stopped and always leave it so until the next start. */
  readonly manuallyStopped: boolean;
}

export interface Container {
  readonly id: string;
  readonly name: string;
  readonly record: ContainerRecord;
  /** null unless it runs (paused is running). */
  readonly running: RunningContainer | null;
  readonly group: ContainerGroup | null;
  /** The root file system as it is mounted, also while it does not run. */
  readonly rootfs: RootfsMount;
  /** What all runs so far have written (its form: model/output-chunks.ts). */
  readonly logPath: string;
  /** A directory of its own on a tmpfs, for keepers of what runs in it; it is there while the container is. */
  readonly runDirectory: string;
  /** As it was last started, or would be. */
  spec(): Promise<OciSpec>;
  /** Calls back when a run begins, ends, or the container is removed; call the result to stop. */
  watch(told: (news: ContainerNews) => void): () => void;
  /** Tells the engine's listeners, with its image, name and labels. */
  publish(action: string, more?: Readonly<Record<string, string>>): void;
}

export type ContainerNews = 'started' | 'ended' | 'removed' | 'removal-failed';

export interface ContainerFinder {
  /** By id, name or unique prefix of an id. Throws not_found "No such container: x", invalid_argument for an ambiguous prefix. */
  find(idOrName: string): Container;
  all(): Container[];
}
