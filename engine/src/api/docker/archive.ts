// Files of containers: HEAD, GET and PUT /containers/{id}/archive (docker cp), export and changes (moby's swagger, "Container").
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { EngineError } from '../../model/engine-error.ts';
import type { ArchiveBackend, PathStat } from './archive-backend.ts';
import { queryFlag, queryText } from './query.ts';

const idOf = (request: FastifyRequest): string => (request.params as { id: string }).id;

function pathOf(request: FastifyRequest): string {
  const path = queryText(request.query, 'path') ?? '';
  if (path === '') throw new EngineError('invalid_argument', 'bad parameter: path cannot be empty');
  if (path.includes('\0')) throw new EngineError('invalid_argument', 'bad parameter: path has a NUL byte');
  return path;
}

const statHeader = (stat: PathStat) => ({
  'X-Docker-Container-Path-Stat': Buffer.from(JSON.stringify(stat)).toString('base64'),
});

export function archiveRoutes(app: FastifyInstance, backend: ArchiveBackend): void {
  app.head('/containers/:id/archive', async (request, reply) =>
    reply.headers(statHeader(await backend.stat(idOf(request), pathOf(request)))).send(),
  );

  app.get('/containers/:id/archive', { exposeHeadRoute: false }, async (request, reply) => {
    const { stat, tar } = await backend.read(idOf(request), pathOf(request));
    return reply.headers(statHeader(stat)).type('application/x-tar').send(tar);
  });

  app.put('/containers/:id/archive', async (request, reply) => {
    const options = {
      keepTypes: queryFlag(request.query, 'noOverwriteDirNonDir'),
      asContainerUser: queryFlag(request.query, 'copyUIDGID'),
    };
    // A client that names no type of content at all leaves the body unread.
    const body = request.body instanceof Readable ? request.body : request.raw;
    try {
      // What is left of the body when something is refused is read and thrown away: who ends a request in its midst gives its
      // client no answer.
      const kept = body.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Uint8Array>;
      await backend.extract(idOf(request), pathOf(request), options, kept);
    } finally {
      body.resume();
    }
    return reply.status(200).send();
  });

  app.get('/containers/:id/export', { exposeHeadRoute: false }, async (request, reply) =>
    reply.type('application/octet-stream').send(await backend.export(idOf(request))),
  );

  app.get('/containers/:id/changes', (request) => backend.changes(idOf(request)));
}
