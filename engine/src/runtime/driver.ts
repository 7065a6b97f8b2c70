// What an exec driver is: it makes a process in a container out of an OCI specification, and finds it again after a restart
// of the daemon. Types only; the drivers are native.ts (launch plans) and oci.ts (runc, crun).
import type { RootfsMount } from '../image/graph-driver.ts';
import type { ContainerGroup } from '../kernel/cgroup/container-group.ts';
import type { Kept } from '../kernel/kernel.ts';
import type { OciProcess, OciSpec } from '../model/oci-spec.ts';

/** All that is needed to start a container; nothing of it is looked up again. */
export interface Launchable {
  /** 64 hex digits. */
  readonly id: string;
  readonly spec: OciSpec;
  readonly rootfs: RootfsMount;
  readonly group: ContainerGroup;
  /** The keeper's directory, on a tmpfs; it must not exist yet. */
  readonly directory: string;
  /** What the process writes is appended to this file (its form: model/output-chunks.ts). */
  readonly logPath: string;
  /** How much of it is kept (model/log-config.ts says); absent or 0: all. */
  readonly logKeepBytes?: number;
  /** Whether stdin stays open for input; without it the process reads /dev/null. */
  readonly openStdin: boolean;
  /** --init: a small init of ours is pid 1 and reaps; its only child is the process. */
  readonly init: boolean;
}

export interface RunningContainer {
  /** Host pid of the container's first process. */
  readonly pid: number;
  /** Input, output, signals, exit. With a terminal the output has one stream. */
  readonly kept: Kept;
  /** Runs one more process in the container. Throws EngineError with `OCI runtime exec failed: …` as Docker words it
   * (docker-api.md, points 9 and 10): invalid_argument for a program that is not there or can't be run. */
  exec(process: OciProcess, options: ExecOptions): Promise<Kept>;
  /** Lets go of it without ending anything. */
  release(): void;
}

export interface ExecOptions {
  readonly directory: string;
  readonly openStdin: boolean;
  /** The container's --privileged does not reach an exec; the exec's own does. */
  readonly privileged: boolean;
}

export interface ExecDriver {
  /** As --runtime names it: "native", "runc", "crun". */
  readonly name: string;
  /** Makes and starts it. Throws with Docker's words for what fails (docker-api.md, point 10); then nothing is left. */
  start(container: Launchable): Promise<RunningContainer>;
  /** After a restart of the daemon. Null: it never ran to the end of its start. */
  recover(container: Launchable): Promise<RunningContainer | null>;
}
