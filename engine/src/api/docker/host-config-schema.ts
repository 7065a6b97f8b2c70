// HostConfig of moby's swagger 1.50, every default filled in: how a container runs on this host, apart from what is in it.
import { z } from 'zod';
import type { ContainerResources, HostConfig } from '../../model/container-config.ts';
import { flag, list, number, present, text, textMap, texts, textsOrNull } from './schema-parts.ts';

const DEFAULT_SHM_BYTES = 64 * 2 ** 20;

const throttles = list(z.object({ Path: text, Rate: number }));

export const resourcesShape = {
  CpuShares: number,
  Memory: number,
  NanoCpus: number,
  CgroupParent: text,
  BlkioWeight: number,
  BlkioWeightDevice: list(z.object({ Path: text, Weight: number })),
  BlkioDeviceReadBps: throttles,
  BlkioDeviceWriteBps: throttles,
  BlkioDeviceReadIOps: throttles,
  BlkioDeviceWriteIOps: throttles,
  CpuPeriod: number,
  CpuQuota: number,
  CpuRealtimePeriod: number,
  CpuRealtimeRuntime: number,
  CpusetCpus: text,
  CpusetMems: text,
  Devices: list(z.object({ PathOnHost: text, PathInContainer: text, CgroupPermissions: text })),
  DeviceCgroupRules: textsOrNull,
  MemoryReservation: number,
  MemorySwap: number,
  // -1 is what old clients send for "the host's".
  MemorySwappiness: z
    .number()
    .int()
    .nullish()
    .transform((value) => (value === undefined || value === -1 ? null : value)),
  OomKillDisable: z
    .boolean()
    .nullish()
    .transform((value) => value ?? null),
  PidsLimit: z
    .number()
    .int()
    .nullish()
    .transform((value) => value ?? null),
  Ulimits: list(z.object({ Name: text, Soft: number, Hard: number })),
} as const satisfies Record<keyof ContainerResources, z.ZodType>;

export const restartPolicySchema = z
  .object({ Name: text, MaximumRetryCount: number })
  .nullish()
  .transform((value) => value ?? { Name: '', MaximumRetryCount: 0 });

const mountSchema = z
  .object({
    Type: text,
    Source: z.string().optional(),
    Target: text,
    ReadOnly: z.boolean().optional(),
    Consistency: z.string().optional(),
    BindOptions: z
      .object({
        Propagation: z.string().optional(),
        NonRecursive: z.boolean().optional(),
        CreateMountpoint: z.boolean().optional(),
        ReadOnlyNonRecursive: z.boolean().optional(),
        ReadOnlyForceRecursive: z.boolean().optional(),
      })
      .transform(present)
      .nullish(),
    VolumeOptions: z
      .object({
        NoCopy: z.boolean().optional(),
        Labels: textMap.optional(),
        DriverConfig: z
          .object({ Name: z.string().optional(), Options: textMap.optional() })
          .transform(present)
          .nullish(),
        Subpath: z.string().optional(),
      })
      .transform(({ DriverConfig, ...rest }) => present({ ...rest, DriverConfig: DriverConfig ?? undefined }))
      .nullish(),
    TmpfsOptions: z
      .object({ SizeBytes: z.number().optional(), Mode: z.number().optional() })
      .transform(present)
      .nullish(),
  })
  .transform(({ BindOptions, VolumeOptions, TmpfsOptions, ...rest }) =>
    present({
      ...rest,
      BindOptions: BindOptions ?? undefined,
      VolumeOptions: VolumeOptions ?? undefined,
      TmpfsOptions: TmpfsOptions ?? undefined,
    }),
  );

/** Ports are objects of lists; a client may send one binding without its list's host IP, or null for no binding at all. */
const portBindings = z
  .record(z.string(), list(z.object({ HostIp: text, HostPort: text })))
  .nullish()
  .transform((value) => value ?? {});

const shape = {
  ...resourcesShape,
  Binds: textsOrNull,
  ContainerIDFile: text,
  LogConfig: z
    .object({ Type: text, Config: textMap })
    .nullish()
    .transform((value) => ({ Type: value?.Type || 'json-file', Config: value?.Config ?? {} })),
  NetworkMode: text.transform((value) => (value === '' || value === 'default' ? 'bridge' : value)),
  PortBindings: portBindings,
  RestartPolicy: restartPolicySchema,
  AutoRemove: flag,
  VolumeDriver: text,
  VolumesFrom: textsOrNull,
  Mounts: z.array(mountSchema).nullish(),
  ConsoleSize: z
    .tuple([z.number(), z.number()])
    .nullish()
    .transform((value) => value ?? ([0, 0] as [number, number])),
  Annotations: textMap.optional(),
  CapAdd: textsOrNull,
  CapDrop: textsOrNull,
  CgroupnsMode: text.transform((value) => value || 'private'),
  Dns: texts,
  DnsOptions: texts,
  DnsSearch: texts,
  ExtraHosts: textsOrNull,
  GroupAdd: textsOrNull,
  IpcMode: text.transform((value) => value || 'private'),
  Cgroup: text,
  Links: textsOrNull,
  OomScoreAdj: number,
  PidMode: text,
  Privileged: flag,
  PublishAllPorts: flag,
  ReadonlyRootfs: flag,
  SecurityOpt: textsOrNull,
  StorageOpt: textMap.optional(),
  Tmpfs: textMap.optional(),
  UTSMode: text,
  UsernsMode: text,
  ShmSize: number.transform((value) => value || DEFAULT_SHM_BYTES),
  Sysctls: textMap.optional(),
  Runtime: text,
  Isolation: text,
  Init: z.boolean().nullish(),
  MaskedPaths: textsOrNull,
  ReadonlyPaths: textsOrNull,
} as const satisfies Record<keyof HostConfig, z.ZodType>;

/** What of it has words of its own (restart policy, mount types, cgroup namespace) is checked in model/validate-config.ts. */
export const hostConfigSchema = z
  .object(shape)
  .transform(({ Mounts, Init, ...rest }) => present({ ...rest, Mounts: Mounts ?? undefined, Init: Init ?? undefined }));
