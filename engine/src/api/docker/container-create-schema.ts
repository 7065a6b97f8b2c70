// The body of POST /containers/create: ContainerConfig, HostConfig and NetworkingConfig of moby's swagger 1.50.
import { z } from 'zod';
import type { ContainerConfig, HostConfig } from '../../model/container-config.ts';
import { EngineError } from '../../model/engine-error.ts';
import { readBody } from './read-body.ts';
import { hostConfigSchema } from './host-config-schema.ts';
import { command, flag, nameSet, number, present, text, textMap, texts, textsOrNull } from './schema-parts.ts';

const healthSchema = z.object({
  Test: texts,
  Interval: number,
  Timeout: number,
  Retries: number,
  StartPeriod: number,
  StartInterval: number,
});

const configSchema = z
  .object({
    Hostname: text,
    Domainname: text,
    User: text,
    AttachStdin: flag,
    AttachStdout: flag,
    AttachStderr: flag,
    ExposedPorts: nameSet.optional(),
    Tty: flag,
    OpenStdin: flag,
    StdinOnce: flag,
    Env: texts,
    Cmd: command,
    Healthcheck: healthSchema.nullish(),
    ArgsEscaped: z.boolean().nullish(),
    Image: text,
    Volumes: z
      .record(z.string(), z.unknown())
      .nullish()
      .transform((value) => (value ? Object.fromEntries(Object.keys(value).map((key) => [key, {}])) : null)),
    WorkingDir: text,
    Entrypoint: command,
    NetworkDisabled: z.boolean().nullish(),
    OnBuild: textsOrNull,
    Labels: textMap,
    StopSignal: z.string().nullish(),
    StopTimeout: z.number().int().nullish(),
    Shell: z.array(z.string()).nullish(),
  })
  .transform((config): ContainerConfig => {
    const { ExposedPorts, Healthcheck, ArgsEscaped, NetworkDisabled, StopSignal, StopTimeout, Shell, ...rest } = config;
    return {
      ...rest,
      ...present({
        ExposedPorts: ExposedPorts && Object.keys(ExposedPorts).length > 0 ? ExposedPorts : undefined,
        Healthcheck: Healthcheck ?? undefined,
        ArgsEscaped: ArgsEscaped || undefined,
        NetworkDisabled: NetworkDisabled || undefined,
        StopSignal: StopSignal || undefined,
        StopTimeout: StopTimeout ?? undefined,
        Shell: Shell ?? undefined,
      }),
    };
  });

const restSchema = z.object({
  HostConfig: hostConfigSchema.nullish(),
  NetworkingConfig: z
    .object({ EndpointsConfig: z.record(z.string(), z.looseObject({}).nullish()).nullish() })
    .nullish(),
});

export interface CreateRequest {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networks: Readonly<Record<string, object>>;
}

/** Reads it, every default filled in. Throws invalid_argument. */
export function readCreateRequest(body: unknown): CreateRequest {
  if (typeof body !== 'object' || body === null || Object.keys(body).length === 0)
    throw new EngineError('invalid_argument', 'config cannot be empty in order to create a container');
  const { HostConfig: host, NetworkingConfig: networking } = readBody(restSchema, body);
  const endpoints = Object.entries(networking?.EndpointsConfig ?? {});
  return {
    config: readBody(configSchema, body),
    // The words of enumerations are checked by validateConfig, which has Docker's sentence for each.
    hostConfig: (host ?? hostConfigSchema.parse({})) as HostConfig,
    networks: Object.fromEntries(endpoints.map(([name, endpoint]) => [name, endpoint ?? {}])),
  };
}
