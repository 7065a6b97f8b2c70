// GET /containers/ID/json: everything about one container. No field that clients follow is ever missing or null
// (the docker CLI crashes on some).
import type { HostConfig } from '../model/container-config.ts';
import { goTime, stateName } from '../model/container-status.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from '../runtime/spec.ts';
import type { ContainerContext } from './context.ts';
import { etcPaths } from './etc-files.ts';
import { containerOfMode } from './modes.ts';
import type { LiveContainer } from './live-container.ts';
import { networkSettings } from './network-settings.ts';

/** As moby's swagger has it (ContainerInspectResponse). `execIds`: of execs that are known. */
export function inspectContainer(context: ContainerContext, container: LiveContainer, execIds: readonly string[]) {
  const { record } = container;
  const [Path = '', ...Args] = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  const other = containerOfMode(record.hostConfig.NetworkMode);
  const network = other === null ? undefined : context.containers.all().find(({ id }) => id === other);
  const files = record.state.startedAtMs === null ? {} : etcPaths(container, network);
  return {
    Id: record.id,
    Created: goTime(record.createdAtMs),
    Path,
    Args,
    State: stateOf(container),
    Image: record.imageId,
    ResolvConfPath: files['/etc/resolv.conf'] ?? '',
    HostnamePath: files['/etc/hostname'] ?? '',
    HostsPath: files['/etc/hosts'] ?? '',
    LogPath: container.logPath,
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: context.host.graph.name,
    Platform: 'linux',
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: '',
    ExecIDs: execIds.length > 0 ? execIds : null,
    HostConfig: { ...record.hostConfig, ...systemPaths(record.hostConfig), ...WINDOWS_ONLY },
    GraphDriver: graphDriver(context, container),
    Mounts: record.mounts,
    Config: record.config,
    NetworkSettings: networkSettings(container),
  };
}

const WINDOWS_ONLY = { CpuCount: 0, CpuPercent: 0, IOMaximumIOps: 0, IOMaximumBandwidth: 0, DeviceRequests: null };

/** What the specification makes of null. */
const systemPaths = ({ MaskedPaths, ReadonlyPaths, Privileged }: HostConfig) => ({
  MaskedPaths: MaskedPaths ?? (Privileged ? [] : DEFAULT_MASKED_PATHS),
  ReadonlyPaths: ReadonlyPaths ?? (Privileged ? [] : DEFAULT_READONLY_PATHS),
});

function stateOf(container: LiveContainer) {
  const { state, health } = container;
  const Status = stateName(state, container.isRemoving);
  return {
    Status,
    Running: container.isUp,
    Paused: Status === 'paused',
    Restarting: Status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: Status === 'dead',
    Pid: container.running?.pid ?? 0,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: goTime(state.startedAtMs),
    FinishedAt: goTime(state.finishedAtMs),
    ...(health && { Health: health }),
  };
}

function graphDriver({ host }: ContainerContext, container: LiveContainer) {
  const { rootfs } = container;
  // The mount is in the container's own mount namespace: from the host it is seen through its process.
  const merged = container.running === null ? {} : { MergedDir: `/proc/${container.running.pid}/root` };
  if (rootfs.kind === 'directory') return { Name: host.graph.name, Data: { RootDir: rootfs.path } };
  return {
    Name: host.graph.name,
    Data: {
      LowerDir: rootfs.lower.join(':'),
      ...merged,
      UpperDir: rootfs.writable?.upper ?? '',
      WorkDir: rootfs.writable?.work ?? '',
    },
  };
}
