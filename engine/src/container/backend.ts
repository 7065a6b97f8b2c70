// The verbs of containers as the API calls them: finds the container, and runs the verb on it.
import type { ContainersBackend } from '../api/docker/containers-backend.ts';
import type { JobNames } from '../xray/jobs.ts';
import type { ContainerContext } from './context.ts';
import { createContainer } from './create.ts';
import { inspectContainer } from './inspect.ts';
import { listContainers, sizes } from './list.ts';
import type { LiveContainer } from './live-container.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { pruneContainers } from './prune.ts';
import { removeContainer } from './remove.ts';
import { renameContainer } from './rename.ts';
import { restartContainer } from './restart.ts';
import { killContainer } from './signal.ts';
import { startContainer } from './start.ts';
import { stopContainer } from './stop.ts';
import { topOfContainer } from './top.ts';
import { updateContainer } from './update.ts';
import { parseCondition, waitFor } from './wait.ts';

const factsOf = ({ id, name, record }: LiveContainer) => ({
  id,
  name,
  labels: record.config.Labels,
  createdAtMs: record.createdAtMs,
});

export function containersBackend(
  context: ContainerContext,
  execIdsOf: (containerId: string) => readonly string[],
): ContainersBackend {
  const of = (idOrName: string) => context.containers.find(idOrName);
  return {
    create: (ask) => createContainer(context, ask),
    list: (ask) => listContainers(context, ask),
    inspect: async (idOrName, isSized) => {
      const container = of(idOrName);
      const answer = inspectContainer(context, container, execIdsOf(container.id));
      return isSized ? { ...answer, ...(await sizes(context.host, container)) } : answer;
    },
    spec: async (id) => of(id).spec(),
    start: async (id) => startContainer(context, of(id)),
    stop: async (id, ask) => stopContainer(of(id), ask),
    restart: async (id, ask) => restartContainer(context, of(id), ask),
    kill: async (id, signal) => killContainer(of(id), signal),
    pause: async (id) => pauseContainer(of(id)),
    unpause: async (id) => unpauseContainer(of(id)),
    rename: async (id, name) => renameContainer(context, of(id), name),
    update: async (id, ask) => updateContainer(context, of(id), ask),
    wait: (id, condition, signal) => waitFor(of(id), parseCondition(condition), signal),
    remove: async (id, ask) => removeContainer(context, of(id), ask),
    top: async (id, psArguments) => topOfContainer(of(id), psArguments),
    prune: (isWanted) => pruneContainers(context, (container) => isWanted(factsOf(container))),
  };
}

const target = (idOrName: string): string => idOrName;

/** Which verbs are jobs of the X-ray record, and whom each is about. */
export const CONTAINER_JOBS = {
  create: [
    'container create',
    (ask: { name?: string | undefined; config: { Image: string } }) => ask.name || ask.config.Image,
  ],
  start: ['container start', target],
  stop: ['container stop', target],
  restart: ['container restart', target],
  kill: ['container kill', target],
  pause: ['container pause', target],
  unpause: ['container unpause', target],
  rename: ['container rename', target],
  update: ['container update', target],
  remove: ['container remove', target],
} as const satisfies JobNames<ContainersBackend>;
