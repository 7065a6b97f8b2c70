// Puts together what makes containers: limits, exec drivers, records. Part of the composition root (engine.ts).
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { DockerBackends } from './api/docker/routes.ts';
import { archiveBackend, ARCHIVE_JOBS } from './container/archive-verbs.ts';
import { containersBackend, CONTAINER_JOBS } from './container/backend.ts';
import { withCommitted } from './container/committed.ts';
import { Containers } from './container/containers.ts';
import type { ContainerContext } from './container/context.ts';
import { etcPaths } from './container/etc-files.ts';
import { Events } from './container/events.ts';
import { processOfExec } from './container/exec-process.ts';
import { Execs } from './container/execs.ts';
import { containerLimits } from './container/limits.ts';
import { recoverContainers } from './container/recover.ts';
import { releaseContainers } from './container/release.ts';
import { RootfsAccesses } from './container/rootfs-access.ts';
import { ContainerStore } from './container/store.ts';
import { streamsBackend } from './container/streams.ts';
import { imagesBackend } from './image/backend.ts';
import { commitImage } from './image/commit.ts';
import { imageUsage } from './image/disk-usage.ts';
import { imageContext } from './image/image-context.ts';
import type { GraphDriver } from './image/graph-driver.ts';
import { OverlayDriver } from './image/overlay.ts';
import { ImageStore } from './image/store.ts';
import { VfsDriver } from './image/vfs.ts';
import type { Instance } from './instance.ts';
import { createContainerGroups } from './kernel/cgroup/container-groups.ts';
import { linux } from './kernel/linux.ts';
import type { CgroupHost } from './model/cgroup-host.ts';
import type { LimitFacts } from './model/limit-facts.ts';
import { DEFAULT_RUNTIMES, execDrivers, type RuntimeOptions } from './runtime/drivers.ts';
import { isInitialUserNamespace, specHost } from './runtime/spec-host.ts';
import { buildSpec } from './runtime/spec.ts';
import { type DockerCounts, goArchitecture } from './system.ts';
import { collectCopies, copyIn } from './volume/copy-in.ts';
import { VolumeAttachments } from './volume/volume-attachments.ts';
import { VolumeStore } from './volume/volume-store.ts';
import { Volumes } from './volume/volumes.ts';
import { asJobs, type Jobs } from './xray/jobs.ts';

export interface DockerEngine {
  readonly backends: Omit<DockerBackends, 'system'>;
  readonly counts: DockerCounts;
  readonly limits: () => LimitFacts;
  /** After the daemon's start: takes up what runs, collects what a crash left. */
  recover(): Promise<void>;
  /** Lets go of what runs without ending it. */
  release(): Promise<void>;
  /** Ends and removes every container, and their control groups. */
  removeAll(): Promise<void>;
}

export interface DockerParts {
  readonly instance: Instance;
  readonly cgroupHost: CgroupHost;
  readonly log: Logger;
  readonly jobs: Jobs;
  readonly runtimes?: RuntimeOptions;
  readonly storageDriver?: GraphDriver['name'];
}

export async function createDockerEngine({
  instance,
  cgroupHost,
  log,
  jobs,
  runtimes = DEFAULT_RUNTIMES,
  storageDriver,
}: DockerParts): Promise<DockerEngine> {
  const events = new Events();
  const graph = await openGraph(instance.root, storageDriver ?? 'overlay');
  const images = new ImageStore(join(instance.root, 'image'), graph, (message) => log.warn(message));
  const imageWork = imageContext(images, events, { os: 'linux', architecture: goArchitecture });
  const volumeStore = new VolumeStore(join(instance.root, 'volumes'), (message) => log.warn(message));
  const attachments = new VolumeAttachments(linux, join(instance.run, 'volume-subpaths'), (name) =>
    volumeStore.dataPath(name),
  );
  const copies = join(instance.run, 'volume-copies');
  collectCopies(copies);
  const volumes = new Volumes(volumeStore, events, attachments, (...what) => copyIn(linux, copies, ...what));
  const groups = createContainerGroups(cgroupHost, instance.id);
  const ground = join(instance.run, 'ground');
  mkdirSync(ground, { recursive: true, mode: 0o711 });
  const machine = specHost(ground);
  const { defaultDriver } = runtimes;
  const place = { kernel: linux, cgroups: cgroupHost, directory: join(instance.run, 'oci') };
  const drivers = execDrivers(place, runtimes);
  const context: ContainerContext = {
    host: {
      root: instance.root,
      run: instance.run,
      images,
      imageBytes: (id) => imageBytes(images, id),
      graph,
      groups,
      volumes,
      drivers,
      defaultDriver,
      buildSpec: (input) => buildSpec(input, machine),
      limits: containerLimits(groups),
      events,
      log,
    },
    store: new ContainerStore(instance.root, log),
    containers: new Containers(),
    making: new Map(),
  };
  const { containers } = context;
  images.usedBy((imageId) => [
    ...containers
      .all()
      .filter(({ record }) => record.imageId === imageId)
      .map(({ id, isUp }) => ({ id, running: isUp })),
    ...[...context.making].filter(([, image]) => image === imageId).map(([id]) => ({ id, running: true })),
  ]);
  // The layers of an image that was removed by force go with the last container on it.
  events.listen(({ Type, Action }) => {
    if (Type !== 'container' || Action !== 'destroy') return;
    images.forgetUnused().catch((error: unknown) => log.error(error, 'Cannot remove the layers of an image'));
  });
  const execs = new Execs({
    containers,
    kernel: linux,
    processOf: (container, config) => processOfExec(container, config, machine),
  });
  const cgroupVersion = cgroupHost.flavour === 'v2' ? '2' : '1';
  const streams = streamsBackend({ containers, events, execs, cgroupVersion });
  const archive = archiveBackend({
    containers,
    graph,
    accesses: new RootfsAccesses(join(instance.run, 'scratch'), ({ id }) => etcPaths(containers.find(id))),
    publish: ({ id }, action) => containers.find(id).publish(action),
  });
  const backend = containersBackend(context, (id) => execs.idsOf(id));
  return {
    backends: {
      containers: asJobs(jobs, backend, CONTAINER_JOBS),
      archive: asJobs(jobs, archive, ARCHIVE_JOBS),
      images: imagesBackend(imageWork),
      commit: {
        commit: (ask) => withCommitted(context, ask, (container) => commitImage(imageWork, container, ask)),
      },
      diskUsage: {
        images: () => imageUsage(imageWork),
        containers: () => backend.list({ all: true, limit: 0, size: true, filters: new Map(), isNamed: () => true }),
        volumes: () => volumes.usage(),
        mountpoint: (name) => volumes.mountpoint(name),
      },
      volumes,
      streams,
    },
    counts: () => {
      const states = containers.all().map(({ state }) => state.status);
      const paused = states.filter((status) => status === 'paused').length;
      const running = states.filter((status) => status === 'running' || status === 'restarting').length;
      return {
        containers: { total: states.length, running, paused, stopped: states.length - running - paused },
        images: images.all().length,
        storage: { driver: graph.name, status: graph.status() },
        runtimes: Object.fromEntries([...context.host.drivers.keys()].map((name) => [name, { path: name }])),
        defaultRuntime: defaultDriver,
        eventListeners: events.listeners,
      };
    },
    limits: () => groups.facts,
    recover: async () => {
      const { started } = await recoverContainers(context);
      await execs.recover();
      // What no image refers to goes: the containers have said by now which images they use.
      await images.collect();
      await volumes.collect((id) => containers.all().some((one) => one.id === id && one.isUp));
      started.catch((error: unknown) => log.error(error, 'Cannot start containers again'));
    },
    release: () => {
      execs.close();
      return releaseContainers(context);
    },
    removeAll: async () => {
      for (const { id } of containers.all()) await backend.remove(id, { force: true, withVolumes: true });
      await groups.removeAll();
    },
  };
}

/** Each driver has a folder of its own: layers of one mean nothing to the other. */
function openGraph(root: string, driver: GraphDriver['name']): Promise<GraphDriver> {
  if (driver === 'vfs') return VfsDriver.open(join(root, 'vfs'));
  return OverlayDriver.open(join(root, 'overlay'), { userNamespace: !isInitialUserNamespace() });
}

/** All layers of an image, each counted whole; 0 for one that is gone. */
async function imageBytes(images: ImageStore, id: string): Promise<number> {
  const image = images.all().find((one) => one.id === id);
  const sizes = await Promise.all((image?.chainIds ?? []).map((chain) => images.layers.sizeBytes(chain)));
  return sizes.reduce((sum, size) => sum + size, 0);
}
