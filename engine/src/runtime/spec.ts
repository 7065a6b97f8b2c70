// From Docker's description of a container to the OCI specification, config.json (moby, daemon/oci_linux.go). Looks up
// nothing but the users of the root file system and the devices of the host.
import type { Capability } from '../model/capabilities.ts';
import type { ContainerConfig, HostConfig } from '../model/container-config.ts';
import { dockerSeccomp } from '../model/docker-seccomp.ts';
import { EngineError } from '../model/engine-error.ts';
import type { OciLinux, OciNamespaceType, OciProcess, OciSeccomp, OciSpec } from '../model/oci-spec.ts';
import type { Architecture } from '../model/syscall-table.ts';
import { accountsOf } from './accounts.ts';
import { capabilitiesOf } from './capability-list.ts';
import { givenDevices } from './devices.ts';
import { parseSeccompProfile } from './seccomp-profile.ts';
import { parseSecurityOptions } from './security-options.ts';
import type { SpecInput } from './spec-input.ts';
import { rootfsPropagation, specMounts } from './spec-mounts.ts';
import { failure } from './start-failure.ts';
import { checkSysctls } from './sysctls.ts';
import { type Accounts, resolveUser } from './user.ts';

/** What a specification has to know of the machine; spec-host.ts finds it out. */
export interface SpecHost {
  /** An empty directory: the root file system is built on it, out of the host's sight. */
  readonly ground: string;
  readonly architecture: Architecture;
  /** "6.18.5" */
  readonly kernel: string;
  /** What this kernel has and the daemon may give. */
  readonly capabilities: ReadonlySet<Capability>;
  /** Of the settings that Docker gives every network of its own, those that are there. */
  readonly networkSysctls: Readonly<Record<string, string>>;
  /** Of DEFAULT_MASKED_PATHS' kind, but only where there are such processors. */
  readonly moreMaskedPaths: readonly string[];
}

export const DEFAULT_MASKED_PATHS: readonly string[] = [
  '/proc/acpi',
  '/proc/asound',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
];
export const DEFAULT_READONLY_PATHS: readonly string[] = [
  '/proc/bus',
  '/proc/fs',
  '/proc/irq',
  '/proc/sys',
  '/proc/sysrq-trigger',
];
const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Throws invalid_argument in Docker's words for what no container can be made of. */
export function buildSpec(input: SpecInput, host: SpecHost): OciSpec {
  const { config, hostConfig, cgroupsPath, resources } = input;
  const capabilities = capabilitiesOf(hostConfig, host.capabilities);
  const namespaces = namespacesOf(input);
  const mounts = specMounts(input);
  const isHostUts = hostConfig.UTSMode === 'host';
  const devices = givenDevices(hostConfig);
  const seccomp = seccompOf(hostConfig, capabilities, host);
  return {
    ociVersion: '1.0.2',
    process: processOf(input, capabilities),
    root: { path: host.ground, readonly: hostConfig.ReadonlyRootfs },
    ...(isHostUts ? {} : { hostname: config.Hostname }),
    mounts,
    ...(hostConfig.Annotations ? { annotations: hostConfig.Annotations } : {}),
    linux: {
      namespaces,
      devices,
      cgroupsPath,
      resources,
      ...rootfsPropagation(mounts),
      ...(seccomp === null ? {} : { seccomp }),
      sysctl: sysctlsOf(config, hostConfig, namespaces, host),
      maskedPaths:
        hostConfig.MaskedPaths ?? (hostConfig.Privileged ? [] : [...DEFAULT_MASKED_PATHS, ...host.moreMaskedPaths]),
      readonlyPaths: hostConfig.ReadonlyPaths ?? (hostConfig.Privileged ? [] : DEFAULT_READONLY_PATHS),
    },
  };
}

function processOf({ config, hostConfig, rootfs }: SpecInput, capabilities: readonly string[]): OciProcess {
  const { user, home } = resolveUser(config.User, hostConfig.GroupAdd ?? [], accountsOf(rootfs));
  const [height, width] = hostConfig.ConsoleSize;
  const { noNewPrivileges } = parseSecurityOptions(hostConfig.SecurityOpt);
  return {
    terminal: config.Tty,
    ...(config.Tty && height > 0 && width > 0 ? { consoleSize: { height, width } } : {}),
    user,
    args: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    env: environmentOf(config, home),
    cwd: config.WorkingDir || '/',
    capabilities: {
      bounding: capabilities,
      effective: capabilities,
      permitted: capabilities,
      inheritable: [],
      ambient: [],
    },
    rlimits: hostConfig.Ulimits.map(({ Name, Soft, Hard }) => ({
      type: `RLIMIT_${Name.toUpperCase()}`,
      soft: Soft,
      hard: Hard,
    })),
    ...(noNewPrivileges ? { noNewPrivileges } : {}),
    oomScoreAdj: hostConfig.OomScoreAdj,
  };
}

/** The container's own come last and win; a name without "=" takes a variable away. */
export function mergeEnvironment(base: readonly string[], own: readonly string[]): string[] {
  const variables = new Map<string, string | null>();
  for (const one of [...base, ...own]) {
    const name = one.split('=', 1)[0] ?? '';
    variables.set(name, one.includes('=') ? one : null);
  }
  return [...variables.values()].filter((one) => one !== null);
}

function environmentOf({ Hostname, Tty, Env }: ContainerConfig, home: string): string[] {
  const base = [DEFAULT_PATH, `HOSTNAME=${Hostname}`, ...(Tty ? ['TERM=xterm'] : [])];
  return mergeEnvironment([...base, `HOME=${home}`], Env);
}

function namespacesOf({ config, hostConfig, joined }: SpecInput): OciLinux['namespaces'] {
  const { NetworkMode, IpcMode, PidMode, UTSMode, CgroupnsMode } = hostConfig;
  const of = (type: OciNamespaceType, file: string, mode: string, pid: number | undefined): OciLinux['namespaces'] => {
    if (mode === 'host') return [];
    if (!mode.startsWith('container:')) return [{ type }];
    if (pid === undefined)
      throw new EngineError('conflict', `cannot join ${file} namespace of a non running container: ${mode.slice(10)}`);
    return [{ type, path: `/proc/${pid}/ns/${file}` }];
  };
  return [
    { type: 'mount' },
    ...of('network', 'net', config.NetworkDisabled === true ? 'none' : NetworkMode, joined.network),
    ...of('uts', 'uts', UTSMode, undefined),
    ...of('pid', 'pid', PidMode, joined.pid),
    ...of('ipc', 'ipc', IpcMode, joined.ipc),
    ...(CgroupnsMode === 'private' ? [{ type: 'cgroup' as const }] : []),
  ];
}

function sysctlsOf(
  { Domainname }: ContainerConfig,
  { Sysctls = {}, UTSMode }: HostConfig,
  namespaces: OciLinux['namespaces'],
  { networkSysctls }: SpecHost,
): Record<string, string> {
  const hasOwnNetwork = namespaces.some(({ type, path }) => type === 'network' && path === undefined);
  const all = {
    ...(hasOwnNetwork ? networkSysctls : {}),
    ...(Domainname !== '' && UTSMode !== 'host' ? { 'kernel.domainname': Domainname } : {}),
    ...Sysctls,
  };
  try {
    checkSysctls(all, new Set(namespaces.map(({ type }) => type)));
  } catch (error) {
    throw failure((error as Error).message, 'start', error);
  }
  return all;
}

/** One object for each set of capabilities: what is compiled of it can be kept by it. */
const defaultProfiles = new Map<string, OciSeccomp>();

function seccompOf(hostConfig: HostConfig, capabilities: readonly string[], host: SpecHost): OciSeccomp | null {
  const { seccomp } = parseSecurityOptions(hostConfig.SecurityOpt);
  if (seccomp === 'unconfined') return null;
  if (seccomp !== null) return parseSeccompProfile(seccomp.profile, capabilities, host);
  if (hostConfig.Privileged) return null;
  const key = `${host.architecture} ${capabilities.join(' ')}`;
  const profile = defaultProfiles.get(key) ?? dockerSeccomp(host.architecture, capabilities);
  defaultProfiles.set(key, profile);
  return profile;
}

/** What an exec asks for (moby's swagger, ExecConfig); empty is "as the container". */
export interface ExecRequest {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly user: string;
  readonly workingDir: string;
  readonly tty: boolean;
  readonly privileged: boolean;
  readonly consoleSize?: { readonly height: number; readonly width: number };
}

/** The process of an exec, from the specification of its container. Throws like buildSpec. `accounts`: accountsOfProcess(). */
export function execProcess(spec: OciSpec, request: ExecRequest, accounts: Accounts, host: SpecHost): OciProcess {
  const { process } = spec;
  const resolved = request.user === '' ? null : resolveUser(request.user, [], accounts);
  const everything = [...host.capabilities].map((name) => `CAP_${name}`);
  const all = { bounding: everything, effective: everything, permitted: everything, inheritable: [], ambient: [] };
  const { consoleSize: _, ...inherited } = process;
  return {
    ...inherited,
    terminal: request.tty,
    ...(request.consoleSize ? { consoleSize: request.consoleSize } : {}),
    user: resolved?.user ?? process.user,
    args: request.args,
    env: mergeEnvironment(
      [...(request.tty ? ['TERM=xterm'] : []), ...process.env, ...(resolved ? [`HOME=${resolved.home}`] : [])],
      request.env,
    ),
    cwd: request.workingDir || process.cwd,
    ...(request.privileged ? { capabilities: all } : {}),
  };
}
