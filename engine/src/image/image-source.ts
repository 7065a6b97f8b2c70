// What the containers need of the images. Types only; store.ts implements it.
import type { HealthConfig } from '../model/container-config.ts';

/** `config` of an image's configuration (opencontainers/image-spec, config.md), with Docker's additions. */
export interface ImageDefaults {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly Healthcheck?: HealthConfig;
  readonly OnBuild?: readonly string[] | null;
  readonly Shell?: readonly string[];
  readonly ArgsEscaped?: boolean;
}

export interface Image {
  /** "sha256:…", digest of the configuration. */
  readonly id: string;
  readonly defaults: ImageDefaults;
  readonly os: string;
  readonly architecture: string;
  /** The topmost layer as the graph driver knows it (its chain id); null for an image without layers. */
  readonly topLayer: string | null;
  /** Names it has now: "busybox:latest". */
  readonly references: readonly string[];
}

export interface ImageSource {
  /** By reference, id or unique prefix of an id. Throws not_found "No such image: x:latest" (docker-api.md). */
  find(reference: string): Image;
  /** Is called before an image is removed: ids of the containers that use it, and whether they run. */
  usedBy(ask: (imageId: string) => { readonly id: string; readonly running: boolean }[]): void;
}
