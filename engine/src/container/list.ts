// GET /containers/json: the list, newest first, through Docker's filters.
import { EngineError } from '../model/engine-error.ts';
import { stateName, STATES, statusText } from '../model/container-status.ts';
import type { ContainerContext } from './context.ts';
import type { LiveContainer } from './live-container.ts';
import { endpointsOf, listedPorts } from './network-settings.ts';

export interface ListAsk {
  readonly all: boolean;
  /** 0: no limit. */
  readonly limit: number;
  readonly size: boolean;
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** Filters of names, ids and labels are the same for every kind of object: the API has them. */
  readonly isNamed: (facts: {
    id: string;
    name: string;
    labels: Readonly<Record<string, string>>;
    createdAtMs: number;
  }) => boolean;
}

const refused = (key: string, value: string) => new EngineError('invalid_argument', `invalid filter '${key}=${value}'`);

/** Throws invalid_argument for a filter's value that can't be, not_found for a container that a filter names. */
export async function listContainers(context: ContainerContext, ask: ListAsk) {
  const wanted = conditions(context, ask);
  const isAll = ask.all || ask.limit > 0 || ask.filters.has('status');
  const chosen = context.containers
    .all()
    .filter((container) => isAll || container.isUp)
    .sort((a, b) => b.record.createdAtMs - a.record.createdAtMs)
    .filter((container) => wanted.every((isMet) => isMet(container)))
    .slice(0, ask.limit > 0 ? ask.limit : undefined);
  return Promise.all(chosen.map((container) => entry(context, container, ask.size)));
}

type Condition = (container: LiveContainer) => boolean;

/** One for each filter asked for. */
function conditions({ containers, host }: ContainerContext, { filters, isNamed }: ListAsk): Condition[] {
  const all: Condition[] = [
    ({ id, name, record }) => isNamed({ id, name, labels: record.config.Labels, createdAtMs: record.createdAtMs }),
  ];
  const given = (key: string, meets: (values: readonly string[]) => Condition) => {
    const values = filters.get(key);
    if (values !== undefined) all.push(meets(values));
  };
  given('status', (values) => {
    const strange = values.find((value) => !(STATES as readonly string[]).includes(value));
    if (strange !== undefined) throw refused('status', strange);
    return ({ state, isRemoving }) => values.includes(stateName(state, isRemoving));
  });
  given('exited', (values) => {
    const strange = values.find((value) => !/^-?\d+$/.test(value));
    if (strange !== undefined) throw refused('exited', strange);
    const codes = values.map(Number);
    return ({ state, isUp }) => !isUp && state.startedAtMs !== null && codes.includes(state.exitCode);
  });
  given(
    'health',
    (values) =>
      ({ health }) =>
        values.includes(health?.Status ?? 'none'),
  );
  given('is-task', (values) => () => values.every((value) => !['1', 'true'].includes(value)));
  given('isolation', () => () => true);
  given('before', (values) => {
    const bounds = values.map((value) => containers.find(value).record.createdAtMs);
    return ({ record }) => bounds.some((bound) => record.createdAtMs < bound);
  });
  given('since', (values) => {
    const bounds = values.map((value) => containers.find(value).record.createdAtMs);
    return ({ record }) => bounds.some((bound) => record.createdAtMs > bound);
  });
  given('ancestor', (values) => {
    const ids = new Set(values.flatMap((value) => imageId(host, value) ?? []));
    return ({ record }) => ids.has(record.imageId);
  });
  given(
    'volume',
    (values) =>
      ({ record }) =>
        record.mounts.some(
          ({ Name, Destination, Source }) =>
            (Name !== undefined && values.includes(Name)) || values.includes(Destination) || values.includes(Source),
        ),
  );
  given(
    'network',
    (values) =>
      ({ record }) =>
        Object.keys(record.networks).some((name) => values.includes(name)),
  );
  given('expose', (values) => {
    const ports = values.flatMap((value) => portRange('expose', value));
    return (container) =>
      listedPorts(container).some(({ PrivatePort, Type }) => ports.includes(`${PrivatePort}/${Type}`));
  });
  given('publish', (values) => {
    values.forEach((value) => portRange('publish', value)); // nothing is published by an isolated namespace
    return () => false;
  });
  return all;
}

function imageId(host: ContainerContext['host'], reference: string): string | null {
  try {
    return host.images.find(reference).id;
  } catch (error) {
    if (error instanceof EngineError && error.kind === 'not_found') return null;
    throw error;
  }
}

/** "80", "80/udp", "80-90/tcp" as "80/tcp" … */
function portRange(key: string, text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/.exec(text);
  const [from, to] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  if (!match || to > 65_535 || from > to) throw refused(key, text);
  return Array.from({ length: to - from + 1 }, (_, index) => `${from + index}/${match[3] ?? 'tcp'}`);
}

async function entry({ host }: ContainerContext, container: LiveContainer, isSized: boolean) {
  const { record, state } = container;
  const [path = '', ...args] = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  const shown = [path, ...args.map((argument) => (argument.includes(' ') ? `'${argument}'` : argument))];
  return {
    Id: record.id,
    Names: [`/${record.name}`],
    Image: imageId(host, record.config.Image) === record.imageId ? record.config.Image : record.imageId,
    ImageID: record.imageId,
    Command: shown.join(' '),
    Created: Math.floor(record.createdAtMs / 1000),
    Ports: listedPorts(container),
    ...(isSized && (await sizes(host, container))),
    Labels: record.config.Labels,
    State: stateName(state, container.isRemoving),
    Status: statusText(state, container.health, container.isRemoving, Date.now()),
    HostConfig: { NetworkMode: record.hostConfig.NetworkMode },
    NetworkSettings: { Networks: endpointsOf(container) },
    Mounts: record.mounts,
  };
}

/** Bytes of the writable layer, and of that and the image together. */
export async function sizes(host: ContainerContext['host'], { id, record }: LiveContainer) {
  const SizeRw = await host.graph.sizeBytes(id);
  return { SizeRw, SizeRootFs: SizeRw + (await host.imageBytes(record.imageId)) };
}
