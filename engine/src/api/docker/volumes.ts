// /volumes: managed volumes as Docker's API 1.50 has them (moby's swagger, "Volume").
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { flagFilter, type Filters, labelsMatch, matchesPattern, parseFilters } from './filters.ts';
import { queryFlag, queryText } from './query.ts';
import { readBody } from './read-body.ts';
import { requestedMinor } from './version-prefix.ts';

export interface VolumeFacts {
  readonly name: string;
  readonly createdAtMs: number;
  readonly labels: Readonly<Record<string, string>> | null;
  readonly options: Readonly<Record<string, string>> | null;
}

/** What the routes of volumes need of the engine. */
export interface VolumesBackend {
  create(asked: {
    name?: string;
    driver?: string;
    options?: Readonly<Record<string, string>> | null;
    labels?: Readonly<Record<string, string>> | null;
  }): VolumeFacts;
  find(name: string): VolumeFacts;
  list(): VolumeFacts[];
  mountpoint(name: string): string;
  usersOf(name: string): string[];
  remove(name: string, force: boolean): Promise<void>;
  prune(all: boolean, take: (volume: VolumeFacts) => boolean): Promise<{ names: string[]; bytes: number }>;
}

const texts = z.record(z.string(), z.string()).nullish();
const createSchema = z.object({
  Name: z.string().nullish(),
  Driver: z.string().nullish(),
  DriverOpts: texts,
  Labels: texts,
});

/** A volume as inspect and the list show it. */
export const volumeAnswer = (backend: Pick<VolumesBackend, 'mountpoint'>, volume: VolumeFacts) => ({
  CreatedAt: new Date(volume.createdAtMs).toISOString().replace(/\.\d+Z$/, 'Z'),
  Driver: 'local',
  Labels: volume.labels,
  Mountpoint: backend.mountpoint(volume.name),
  Name: volume.name,
  Options: volume.options,
  Scope: 'local',
});

function isWanted(backend: VolumesBackend, volume: VolumeFacts, filters: Filters): boolean {
  const dangling = flagFilter(filters, 'dangling');
  return (
    matchesPattern(filters.get('name'), volume.name) &&
    (filters.get('driver') ?? ['local']).includes('local') &&
    labelsMatch(volume.labels ?? {}, filters) &&
    (dangling === undefined || dangling === (backend.usersOf(volume.name).length === 0))
  );
}

export function volumeRoutes(app: FastifyInstance, backend: VolumesBackend): void {
  app.get('/volumes', ({ query }) => {
    const filters = parseFilters(queryText(query, 'filters'), ['name', 'driver', 'label', 'dangling']);
    const wanted = backend.list().filter((volume) => isWanted(backend, volume, filters));
    return { Volumes: wanted.map((volume) => volumeAnswer(backend, volume)), Warnings: null };
  });

  app.get<{ Params: { name: string } }>('/volumes/:name', ({ params }) =>
    volumeAnswer(backend, backend.find(params.name)),
  );

  app.post('/volumes/create', ({ body }, reply) => {
    const { Name, Driver, DriverOpts, Labels } = readBody(createSchema, body);
    const volume = backend.create({
      name: Name ?? '',
      driver: Driver ?? '',
      options: DriverOpts ?? null,
      labels: Labels ?? null,
    });
    return reply.status(201).send(volumeAnswer(backend, volume));
  });

  app.delete<{ Params: { name: string } }>('/volumes/:name', async ({ params, query }, reply) => {
    await backend.remove(params.name, queryFlag(query, 'force'));
    return reply.status(204).send();
  });

  app.post('/volumes/prune', async ({ query, originalUrl }) => {
    const filters = parseFilters(queryText(query, 'filters'), ['label', 'label!', 'all']);
    // Before 1.42 all unused volumes were pruned; since then a volume that somebody named is kept unless asked for.
    const all = requestedMinor(originalUrl) < 42 || flagFilter(filters, 'all') === true;
    const pruned = await backend.prune(all, ({ labels }) => labelsMatch(labels ?? {}, filters));
    return { VolumesDeleted: pruned.names, SpaceReclaimed: pruned.bytes };
  });
}
