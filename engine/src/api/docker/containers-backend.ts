// What the routes of containers need of the engine; container/backend.ts is it.
import type { ContainerConfig, ContainerResources, HostConfig, RestartPolicy } from '../../model/container-config.ts';
import type { OciSpec } from '../../model/oci-spec.ts';
import type { Filters } from './filters.ts';

export interface ContainersBackend {
  create(ask: {
    readonly name?: string | undefined;
    readonly config: ContainerConfig;
    readonly hostConfig: HostConfig;
    readonly networks: Readonly<Record<string, object>>;
  }): Promise<{ readonly id: string; readonly warnings: readonly string[] }>;
  list(ask: {
    readonly all: boolean;
    readonly limit: number;
    readonly size: boolean;
    readonly filters: Filters;
    readonly isNamed: (facts: ContainerFacts) => boolean;
  }): Promise<object[]>;
  inspect(idOrName: string, isSized: boolean): Promise<object>;
  /** What the exec driver is given: of the last start, or of one that would be made now. */
  spec(idOrName: string): Promise<OciSpec>;
  start(idOrName: string): Promise<void>;
  stop(idOrName: string, ask: StopRequest): Promise<void>;
  restart(idOrName: string, ask: StopRequest): Promise<void>;
  kill(idOrName: string, signal: string | undefined): Promise<void>;
  pause(idOrName: string): Promise<void>;
  unpause(idOrName: string): Promise<void>;
  rename(idOrName: string, name: string): Promise<void>;
  update(
    idOrName: string,
    ask: { readonly resources: ContainerResources; readonly restartPolicy: RestartPolicy },
  ): Promise<readonly string[]>;
  /** Has registered the wait when it returns; throws for a condition that is none. */
  wait(
    idOrName: string,
    condition: string | undefined,
    signal: AbortSignal,
  ): Promise<{ readonly exitCode: number; readonly error: string | null }>;
  remove(idOrName: string, ask: { readonly force: boolean; readonly withVolumes: boolean }): Promise<void>;
  top(idOrName: string, psArguments: string | undefined): Promise<{ Titles: string[]; Processes: string[][] }>;
  prune(isWanted: (facts: ContainerFacts) => boolean): Promise<{ ids: string[]; bytes: number }>;
}

export interface ContainerFacts {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
}

export interface StopRequest {
  readonly timeoutS?: number | undefined;
  readonly signal?: string | undefined;
}
