// What of a container's configuration is refused before anything is made, in moby's words (daemon/container.go,
// runconfig/hostconfig_unix.go). Limits, mounts and images have their own checks. Pure.
import { CAPABILITIES } from './capabilities.ts';
import type { ContainerConfig, HostConfig } from './container-config.ts';
import { EngineError } from './engine-error.ts';
import { parseExtraHost } from './etc-files.ts';
import { logPolicy } from './log-config.ts';
import { checkRestartPolicy } from './restart-policy.ts';
import { parseSignal } from './signal.ts';

const invalid = (message: string): EngineError => new EngineError('invalid_argument', message);

/** Throws invalid_argument; what comes back are warnings for the answer. */
export function validateConfig(config: ContainerConfig, hostConfig: HostConfig): string[] {
  checkProcess(config);
  checkHost(hostConfig);
  checkModes(hostConfig);
  checkNetworkMode(config, hostConfig);
  checkHealth(config);
  const warnings: string[] = [];
  const published = Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts;
  if (hostConfig.NetworkMode === 'host' && published)
    warnings.push('Published ports are discarded when using host network mode');
  return warnings;
}

function checkProcess({ WorkingDir, Env, StopSignal }: ContainerConfig): void {
  if (WorkingDir !== '' && !WorkingDir.startsWith('/'))
    throw invalid(`the working directory '${WorkingDir}' is invalid, it needs to be an absolute path`);
  for (const variable of Env)
    if (variable === '' || variable.startsWith('=')) throw invalid(`invalid environment variable: ${variable}`);
  if (StopSignal !== undefined) parseSignal(StopSignal);
}

function checkHost(hostConfig: HostConfig): void {
  checkRestartPolicy(hostConfig.RestartPolicy);
  if (hostConfig.AutoRemove && !['', 'no'].includes(hostConfig.RestartPolicy.Name))
    throw invalid("can't create 'AutoRemove' container with restart policy");
  hostConfig.ExtraHosts?.forEach(parseExtraHost);
  for (const name of [...(hostConfig.CapAdd ?? []), ...(hostConfig.CapDrop ?? [])]) checkCapability(name);
  if (hostConfig.OomScoreAdj < -1000 || hostConfig.OomScoreAdj > 1000)
    throw invalid(`Invalid value ${hostConfig.OomScoreAdj}, range for oom score adj is [-1000, 1000]`);
  if (hostConfig.ShmSize < 0) throw invalid('SHM size can not be less than 0');
  if (!['', 'default'].includes(hostConfig.Isolation))
    throw invalid(`invalid isolation '${hostConfig.Isolation}' on linux`);
  logPolicy(hostConfig.LogConfig);
  if (Object.keys(hostConfig.StorageOpt ?? {}).length > 0)
    throw invalid('--storage-opt is not supported: the size of a writable layer is that of its file system');
}

function checkCapability(name: string): void {
  const short = name.toUpperCase().replace(/^CAP_/, '');
  if (short !== 'ALL' && !(CAPABILITIES as readonly string[]).includes(short))
    throw invalid(`invalid capability: "${name}"`);
}

function checkModes(hostConfig: HostConfig): void {
  const container = /^container:.+/;
  const check = (what: string, mode: string, words: readonly string[], joins = false) => {
    if (!words.includes(mode) && !(joins && container.test(mode))) throw invalid(`invalid ${what} mode: ${mode}`);
  };
  check('IPC', hostConfig.IpcMode, ['none', 'private', 'shareable', 'host'], true);
  check('PID', hostConfig.PidMode, ['', 'host'], true);
  check('UTS', hostConfig.UTSMode, ['', 'host']);
  check('cgroup namespace', hostConfig.CgroupnsMode, ['private', 'host']);
  // The daemon maps no users: "host" is what every container has.
  check('user namespace', hostConfig.UsernsMode, ['', 'host']);
  if (hostConfig.NetworkMode.startsWith('container:') && !container.test(hostConfig.NetworkMode))
    throw invalid('Invalid network mode: invalid container format container:<name|id>');
}

function checkNetworkMode(config: ContainerConfig, hostConfig: HostConfig): void {
  const conflict = (what: string) => invalid(`conflicting options: ${what}`);
  const { NetworkMode } = hostConfig;
  if (hostConfig.UTSMode === 'host' && config.Hostname !== '') throw conflict('hostname and the UTS mode');
  if (NetworkMode === 'host' && (hostConfig.Links?.length ?? 0) > 0)
    throw conflict("host type networking can't be used with links. This would result in undefined behavior");
  if (!NetworkMode.startsWith('container:')) return;
  if (config.Hostname !== '') throw conflict('hostname and the network mode');
  if ((hostConfig.Links?.length ?? 0) > 0)
    throw conflict("container type network can't be used with links. This would result in undefined behavior");
  if (hostConfig.Dns.length > 0) throw conflict('dns and the network mode');
  if ((hostConfig.ExtraHosts?.length ?? 0) > 0) throw conflict('custom host-to-IP mapping and the network mode');
  if (Object.keys(hostConfig.PortBindings).length > 0 || hostConfig.PublishAllPorts)
    throw conflict('port publishing and the container type network mode');
  if (Object.keys(config.ExposedPorts ?? {}).length > 0)
    throw conflict('port exposing and the container type network mode');
}

const HEALTH_TIMES = ['Interval', 'Timeout', 'StartPeriod', 'StartInterval'] as const;
const NS_PER_MS = 1_000_000;

function checkHealth({ Healthcheck: health }: ContainerConfig): void {
  if (!health) return;
  for (const time of HEALTH_TIMES)
    if (health[time] !== 0 && health[time] < NS_PER_MS) throw invalid(`${time} in Healthcheck cannot be less than 1ms`);
  if (health.Retries < 0) throw invalid('Retries in Healthcheck cannot be negative');
  const [kind] = health.Test;
  if (kind !== undefined && !['NONE', 'CMD', 'CMD-SHELL'].includes(kind))
    throw invalid(`Unknown healthcheck type: ${kind}`);
}
