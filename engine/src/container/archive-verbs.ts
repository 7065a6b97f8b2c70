// The verbs on files of containers as the API calls them: cp both ways, export, changes.
import type { ArchiveBackend } from '../api/docker/archive-backend.ts';
import { changesOf } from '../image/layer-changes.ts';
import { allFiles } from '../image/layer-tar.ts';
import type { GraphDriver } from '../image/graph-driver.ts';
import { EngineError } from '../model/engine-error.ts';
import { extractTo, readPath, statPath, streamOf } from './archive.ts';
import type { JobNames } from '../xray/jobs.ts';
import type { Container, ContainerFinder } from './container.ts';
import type { RootfsAccess, RootfsAccesses } from './rootfs-access.ts';

const KINDS = { modified: 0, added: 1, deleted: 2 } as const;

export interface ArchiveVerbs {
  readonly containers: ContainerFinder;
  readonly graph: Pick<GraphDriver, 'differences'>;
  readonly accesses: RootfsAccesses;
  /** Tells the engine's events: "archive-path", "extract-to-dir", "export". */
  readonly publish: (container: Container, action: string) => void;
}

export function archiveBackend({ containers, graph, accesses, publish }: ArchiveVerbs): ArchiveBackend {
  const within = async <T>(
    idOrName: string,
    action: (container: Container, access: RootfsAccess) => T | Promise<T>,
  ) => {
    const container = containers.find(idOrName);
    const access = accesses.open(container);
    try {
      return await action(container, access);
    } finally {
      access.close();
    }
  };
  return {
    stat: (idOrName, path) => within(idOrName, (container, access) => statPath(container, access, path)),
    read: async (idOrName, path) => {
      const container = containers.find(idOrName);
      const access = accesses.open(container);
      try {
        const answer = readPath(container, access, path);
        publish(container, 'archive-path');
        return await Promise.resolve(answer);
      } catch (error) {
        access.close();
        throw error;
      }
    },
    extract: (idOrName, path, options, body) =>
      within(idOrName, async (container, access) => {
        await extractTo(container, access, path, options, body);
        publish(container, 'extract-to-dir');
      }),
    export: async (idOrName) => {
      const container = containers.find(idOrName);
      if (container.record.state.status === 'dead')
        throw new EngineError('conflict', `You cannot export container ${container.id} which is Dead`);
      const access = accesses.openWithoutMounts(container);
      publish(container, 'export');
      return Promise.resolve(streamOf(allFiles(access.root.fd), access));
    },
    changes: async (idOrName) => {
      const changes = await changesOf(graph.differences(containers.find(idOrName).id));
      return changes.map(({ path, kind }) => ({ Path: path, Kind: KINDS[kind] }));
    },
  };
}

/** Which verbs are jobs of the X-ray record. */
export const ARCHIVE_JOBS = {
  stat: ['container stat path', (idOrName: string) => idOrName],
  extract: ['container copy in', (idOrName: string) => idOrName],
  changes: ['container diff', (idOrName: string) => idOrName],
} as const satisfies JobNames<ArchiveBackend>;
