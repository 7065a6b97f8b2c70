// GET /_ping, /version, /info as Docker's API 1.50 answers them (moby's swagger, "System").
import type { FastifyInstance } from 'fastify';
import type { SystemBackend } from './backend.ts';
import { API_VERSION, MIN_API_VERSION } from './version-prefix.ts';

const PING_HEADERS = {
  'Api-Version': API_VERSION,
  'Builder-Version': '1',
  'Docker-Experimental': 'false',
  Ostype: 'linux',
  Swarm: 'inactive',
  'Cache-Control': 'no-cache, no-store, must-revalidate',
  Pragma: 'no-cache',
} as const;

/** Adds the system routes. Limits of a single host without swarm, plugins and CDI are told as Docker tells them. */
export function systemRoutes(app: FastifyInstance, backend: SystemBackend): void {
  app.head('/_ping', (_request, reply) => reply.headers(PING_HEADERS).type('text/plain; charset=utf-8').send());
  app.get('/_ping', { exposeHeadRoute: false }, (_request, reply) =>
    reply.headers(PING_HEADERS).type('text/plain; charset=utf-8').send('OK'),
  );

  // None can be installed: volumes, networks and logs have the drivers that /info names.
  app.get('/plugins', () => []);

  app.get('/version', () => {
    const facts = backend.facts();
    const details = {
      ApiVersion: API_VERSION,
      Arch: facts.arch,
      BuildTime: facts.buildTime,
      Experimental: 'false',
      GitCommit: facts.gitCommit,
      // Clients print this field as the daemon's runtime; ours is not Go, so it says what it is.
      GoVersion: `node ${facts.nodeVersion}`,
      KernelVersion: facts.kernelVersion,
      MinAPIVersion: MIN_API_VERSION,
      Os: facts.os,
    };
    return {
      Platform: { Name: 'Drydock' },
      Components: [{ Name: 'Engine', Version: facts.version, Details: details }],
      Version: facts.version,
      ApiVersion: API_VERSION,
      MinAPIVersion: MIN_API_VERSION,
      GitCommit: facts.gitCommit,
      GoVersion: details.GoVersion,
      Os: facts.os,
      Arch: facts.arch,
      KernelVersion: facts.kernelVersion,
      BuildTime: facts.buildTime,
    };
  });

  app.get('/info', async () => {
    const facts = backend.facts();
    const info = await backend.info();
    return {
      ID: info.id,
      Containers: info.containers.total,
      ContainersRunning: info.containers.running,
      ContainersPaused: info.containers.paused,
      ContainersStopped: info.containers.stopped,
      Images: info.images,
      Driver: info.storage.driver,
      DriverStatus: info.storage.status,
      SystemStatus: null,
      Plugins: { Volume: ['local'], Network: ['host', 'null'], Authorization: null, Log: ['json-file', 'none'] },
      MemoryLimit: info.limits.memory,
      SwapLimit: info.limits.swap,
      CpuCfsPeriod: info.limits.cpuCfs,
      CpuCfsQuota: info.limits.cpuCfs,
      CPUShares: info.limits.cpuShares,
      CPUSet: info.limits.cpuset,
      PidsLimit: info.limits.pids,
      IPv4Forwarding: true,
      Debug: false,
      NFd: info.openDescriptors,
      NGoroutines: 0,
      OomKillDisable: info.limits.oomKillDisable,
      SystemTime: new Date().toISOString(),
      LoggingDriver: 'json-file',
      CgroupDriver: 'cgroupfs',
      CgroupVersion: info.cgroupVersion,
      NEventsListener: info.eventListeners,
      KernelVersion: facts.kernelVersion,
      OperatingSystem: info.operatingSystem,
      OSVersion: info.osVersion,
      OSType: facts.os,
      Architecture: info.machine,
      IndexServerAddress: '',
      RegistryConfig: { InsecureRegistryCIDRs: ['127.0.0.0/8'], IndexConfigs: {}, Mirrors: null },
      NCPU: info.cpus,
      MemTotal: info.memoryBytes,
      GenericResources: null,
      DockerRootDir: info.rootDirectory,
      HttpProxy: '',
      HttpsProxy: '',
      NoProxy: '',
      Name: info.name,
      Labels: [],
      ExperimentalBuild: false,
      ServerVersion: facts.version,
      Runtimes: info.runtimes,
      DefaultRuntime: info.defaultRuntime,
      Swarm: {
        NodeID: '',
        NodeAddr: '',
        LocalNodeState: 'inactive',
        ControlAvailable: false,
        Error: '',
        RemoteManagers: null,
      },
      LiveRestoreEnabled: true,
      Isolation: '',
      InitBinary: 'launch',
      ContainerdCommit: { ID: '' },
      RuncCommit: { ID: '' },
      InitCommit: { ID: '' },
      SecurityOptions: ['name=seccomp,profile=builtin', 'name=cgroupns'],
      CDISpecDirs: [],
      Warnings: info.warnings,
    };
  });
}
