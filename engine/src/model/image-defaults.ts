// What a container takes from its image: everything it was not told itself (moby's runconfig.Merge). Pure.
import type { ContainerConfig, HealthConfig } from './container-config.ts';
import { EngineError } from './engine-error.ts';

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

const keyOf = (variable: string) => variable.split('=', 1)[0] ?? '';

/** The configuration filled up from the image. Throws invalid_argument when there is no command then. */
export function withDefaults(config: ContainerConfig, image: ImageDefaults): ContainerConfig {
  const hasOwnEntrypoint = (config.Entrypoint?.length ?? 0) > 0;
  const hasOwnCommand = (config.Cmd?.length ?? 0) > 0;
  const Cmd = !hasOwnEntrypoint && !hasOwnCommand ? (image.Cmd ?? null) : config.Cmd;
  const merged = config.Entrypoint === null ? (image.Entrypoint ?? null) : config.Entrypoint;
  // [""] is how a client takes the image's entry point away.
  const Entrypoint = merged?.length === 1 && merged[0] === '' ? null : merged;
  if ((Cmd?.length ?? 0) === 0 && (Entrypoint?.length ?? 0) === 0)
    throw new EngineError('invalid_argument', 'no command specified');
  const own = new Set(config.Env.map(keyOf));
  const ports = { ...image.ExposedPorts, ...config.ExposedPorts };
  const volumes = { ...image.Volumes, ...config.Volumes };
  const health = mergedHealth(config.Healthcheck, image.Healthcheck);
  const stopSignal = config.StopSignal ?? (image.StopSignal === '' ? undefined : image.StopSignal);
  return {
    ...config,
    Cmd,
    Entrypoint,
    User: config.User || (image.User ?? ''),
    WorkingDir: config.WorkingDir || (image.WorkingDir ?? ''),
    Env: [...config.Env, ...(image.Env ?? []).filter((variable) => !own.has(keyOf(variable)))],
    Labels: { ...image.Labels, ...config.Labels },
    Volumes: Object.keys(volumes).length > 0 ? volumes : config.Volumes,
    ...(Object.keys(ports).length > 0 && { ExposedPorts: ports }),
    ...(health && { Healthcheck: health }),
    ...(stopSignal !== undefined && { StopSignal: stopSignal }),
    ...(config.Shell === undefined && image.Shell !== undefined && { Shell: image.Shell }),
  };
}

function mergedHealth(own: HealthConfig | undefined, image: HealthConfig | undefined): HealthConfig | undefined {
  if (!own || !image) return own ?? image;
  return {
    Test: own.Test.length > 0 ? own.Test : image.Test,
    Interval: own.Interval || image.Interval,
    Timeout: own.Timeout || image.Timeout,
    Retries: own.Retries || image.Retries,
    StartPeriod: own.StartPeriod || image.StartPeriod,
    StartInterval: own.StartInterval || image.StartInterval,
  };
}
