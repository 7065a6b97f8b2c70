// The composition root: the only place that picks real implementations and puts the daemon together.
import { mkdirSync } from 'node:fs';
import { release } from 'node:os';
import type { Logger } from 'pino';
import { engineApp, labApp, listenOn } from './api/http.ts';
import type { Backends } from './api/http.ts';
import type { RuntimeOptions } from './runtime/drivers.ts';
import { createDockerEngine } from './docker-engine.ts';
import type { GraphDriver } from './image/graph-driver.ts';
import type { Instance } from './instance.ts';
import { readIfThere } from './kernel/atomic-file.ts';
import { detectCgroups } from './kernel/cgroup/detect.ts';
import { createCgroupDriver } from './kernel/cgroup/driver.ts';
import { architecture } from './kernel/running-plan.ts';
import { linux } from './kernel/linux.ts';
import { parseHardLimits, SANDBOX_RLIMITS, withinHard } from './model/rlimits.ts';
import { sandboxSeccompFilter } from './model/sandbox-seccomp.ts';
import { createObservation } from './observe/observer.ts';
import { SandboxNetwork } from './sandbox/network.ts';
import { Sandboxes } from './sandbox/sandboxes.ts';
import { Slots } from './sandbox/slots.ts';
import { SANDBOX_JOBS } from './sandbox/jobs.ts';
import { systemBackend, VERSION } from './system.ts';
import { asJobs, Jobs } from './xray/jobs.ts';

export interface Engine {
  /** Lets go of everything without ending anything: sandboxes go on under their keepers. */
  close(): Promise<void>;
  /** Ends all sandboxes, removes all containers, and takes back what the daemon made on the host; files of learners stay. */
  tearDown(): Promise<void>;
}

/** How often the host's rules and the learners' groups are looked at, for what has no event. */
const LOOK_AFTER_MS = 5_000;
/** How often it is asked whether somebody took rules away, which the kernel tells: one system call each time. */
const RULES_TOUCHED_MS = 200;

export interface EngineOptions {
  readonly runtimes?: RuntimeOptions;
  /** How layers are kept; default overlay. */
  readonly storageDriver?: GraphDriver['name'];
}

export async function startEngine(instance: Instance, log: Logger, options: EngineOptions = {}): Promise<Engine> {
  mkdirSync(instance.root, { recursive: true, mode: 0o711 });
  mkdirSync(instance.run, { recursive: true, mode: 0o755 });
  const cgroupHost = detectCgroups();
  const cgroups = createCgroupDriver(cgroupHost, instance.id);
  const network = new SandboxNetwork({ instance: instance.id });
  await network.ensureHost();
  const observation = createObservation({
    instance: instance.id,
    cgroup: cgroupHost.flavour,
    terminalOf: (sandbox, hostPid) => sandboxes.terminalOf(sandbox, hostPid),
  });
  const sandboxes: Sandboxes = new Sandboxes(
    {
      root: instance.root,
      run: instance.run,
      kernel: linux,
      cgroups,
      network,
      slots: new Slots(),
      seccomp: sandboxSeccompFilter(architecture),
      rlimits: withinHard(SANDBOX_RLIMITS, parseHardLimits(readIfThere('/proc/self/limits') ?? '')),
      log,
    },
    observation,
  );
  await sandboxes.recover();
  await network.collect(sandboxes.liveSlots());

  const jobs = new Jobs();
  const docker = await createDockerEngine({ instance, cgroupHost, log, jobs, ...options });
  await docker.recover();

  const backends: Backends = {
    jobs,
    lab: asJobs(jobs, sandboxes.backend(), SANDBOX_JOBS),
    docker: {
      system: systemBackend({
        root: instance.root,
        cgroupVersion: cgroupHost.flavour === 'v2' ? '2' : '1',
        limits: docker.limits,
        counts: docker.counts,
      }),
      ...docker.backends,
    },
    ping: () => ({ version: VERSION, kernel: release(), cgroup: cgroupHost.flavour }),
  };
  const apps = [
    { app: engineApp(log, backends), path: instance.engineSocket, mode: 0o600, gid: 0 },
    { app: labApp(log, backends), path: instance.labSocket, mode: 0o660, gid: instance.labGid },
  ];
  for (const { app, path, mode, gid } of apps) await listenOn(app, path, mode, gid);

  // What the first learner would wait for: launch in its memfd and run once, and the thread that observes.
  linux
    .run({ start: 'nothing', blocks: { nothing: [] } })
    .catch((error: unknown) => log.error(error, 'Cannot run launch: no sandbox will start'));
  observation.warm();

  const mendNetwork = () => {
    network
      .mend()
      .then((mended) => mended && log.warn('The rules of the sandboxes’ network were gone or changed; they are back'))
      .catch((error: unknown) => log.error(error, 'Cannot look after the sandboxes’ network'));
  };
  const rulesTimer = setInterval(() => network.touched() && mendNetwork(), RULES_TOUCHED_MS);
  const timer = setInterval(() => {
    mendNetwork();
    sandboxes.trimGroups().catch((error: unknown) => log.error(error, 'Cannot look after the sandboxes’ groups'));
  }, LOOK_AFTER_MS);

  const close = async () => {
    clearInterval(timer);
    clearInterval(rulesTimer);
    // Streams (observations, terminals) never end by themselves: their connections are closed.
    for (const { app } of apps) {
      app.server.closeAllConnections();
      await app.close();
    }
    await observation.close();
    sandboxes.release();
    await docker.release();
    network.close();
  };
  return {
    close,
    tearDown: async () => {
      await sandboxes.stopAll('The engine was taken down; files are kept.');
      await docker.removeAll();
      await cgroups.removeAll();
      await network.removeAll();
      await close();
    },
  };
}
