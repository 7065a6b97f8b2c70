// The routes of containers but for their streams: create, list, inspect and the verbs (moby's swagger, "Container").
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { RestartPolicy } from '../../model/container-config.ts';
import { EngineError } from '../../model/engine-error.ts';
import { parseTimeNs } from '../../model/go-time.ts';
import { readCreateRequest } from './container-create-schema.ts';
import type { ContainerFacts, ContainersBackend, StopRequest } from './containers-backend.ts';
import { type Filters, labelsMatch, matchesPattern, parseFilters } from './filters.ts';
import { resourcesShape, restartPolicySchema } from './host-config-schema.ts';
import { queryFlag, queryNumber, queryText } from './query.ts';
import { readBody } from './read-body.ts';

const updateSchema = z.object({ ...resourcesShape, RestartPolicy: restartPolicySchema });
const NS_PER_MS = 1_000_000n;
const LIST_FILTERS = [
  'ancestor',
  'before',
  'since',
  'exited',
  'expose',
  'health',
  'id',
  'is-task',
  'isolation',
  'label',
  'label!',
  'name',
  'network',
  'publish',
  'status',
  'volume',
];

const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;

const stopRequest = ({ query }: FastifyRequest): StopRequest => ({
  timeoutS: queryNumber(query, 't'),
  signal: queryText(query, 'signal'),
});

export function containerRoutes(app: FastifyInstance, backend: ContainersBackend): void {
  app.post('/containers/create', async (request, reply) => {
    const ask = readCreateRequest(request.body);
    const { id, warnings } = await backend.create({ ...ask, name: queryText(request.query, 'name') });
    return reply.status(201).send({ Id: id, Warnings: warnings });
  });

  app.get('/containers/json', ({ query }) => {
    const filters = parseFilters(queryText(query, 'filters'), LIST_FILTERS);
    return backend.list({
      all: queryFlag(query, 'all'),
      limit: Math.max(0, queryNumber(query, 'limit') ?? 0),
      size: queryFlag(query, 'size'),
      filters,
      isNamed: ({ id, name, labels }) =>
        matchesPattern(filters.get('id'), id) &&
        matchesPattern(
          filters.get('name')?.map((value) => value.replace(/^(\^?)\//, '$1')),
          name,
        ) &&
        labelsMatch(labels, filters),
    });
  });

  app.get('/containers/:id/json', (request) => backend.inspect(idOf(request), queryFlag(request.query, 'size')));

  // Ours, beside Docker's routes: what the container is to runc as well as to us.
  app.get('/containers/:id/config.json', (request) => backend.spec(idOf(request)));

  verbs(app, backend);

  app.get('/containers/:id/top', (request) => backend.top(idOf(request), queryText(request.query, 'ps_args')));

  app.post('/containers/:id/update', (request) => {
    const { RestartPolicy, ...resources } = readBody(updateSchema, request.body);
    // Its name is checked with Docker's sentence where it is used.
    const restartPolicy = RestartPolicy as RestartPolicy;
    return backend.update(idOf(request), { resources, restartPolicy }).then((Warnings) => ({ Warnings }));
  });

  app.delete('/containers/:id', async (request, reply) => {
    const { query } = request;
    await backend.remove(idOf(request), { force: queryFlag(query, 'force'), withVolumes: queryFlag(query, 'v') });
    return reply.status(204).send();
  });

  app.post('/containers/prune', async ({ query }) => {
    const filters = parseFilters(queryText(query, 'filters'), ['until', 'label', 'label!']);
    const { ids, bytes } = await backend.prune(prunes(filters));
    return { ContainersDeleted: ids, SpaceReclaimed: bytes };
  });
}

/** The verbs that answer 204 and nothing else. */
function verbs(app: FastifyInstance, backend: ContainersBackend): void {
  const verb = (name: string, run: (request: FastifyRequest) => Promise<void>) =>
    app.post(`/containers/:id/${name}`, async (request, reply) => {
      await run(request);
      return reply.status(204).send();
    });
  verb('start', (request) => backend.start(idOf(request)));
  verb('stop', (request) => backend.stop(idOf(request), stopRequest(request)));
  verb('restart', (request) => backend.restart(idOf(request), stopRequest(request)));
  verb('kill', (request) => backend.kill(idOf(request), queryText(request.query, 'signal')));
  verb('pause', (request) => backend.pause(idOf(request)));
  verb('unpause', (request) => backend.unpause(idOf(request)));
  verb('rename', (request) => backend.rename(idOf(request), queryText(request.query, 'name') ?? ''));
}

function prunes(filters: Filters): (facts: ContainerFacts) => boolean {
  const [until, ...more] = filters.get('until') ?? [];
  if (more.length > 0) throw new EngineError('invalid_argument', 'more than one until filter specified');
  const untilMs =
    until === undefined ? Infinity : Number(parseTimeNs(until, BigInt(Date.now()) * NS_PER_MS) / NS_PER_MS);
  return ({ createdAtMs, labels }) => createdAtMs < untilMs && labelsMatch(labels, filters);
}
