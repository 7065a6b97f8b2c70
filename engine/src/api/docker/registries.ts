// POST /auth and GET /distribution/NAME/json ask a registry, which this engine has no client for: they say so.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { EngineError } from '../../model/engine-error.ts';
import { familiarName, parseReference } from '../../model/image-reference.ts';
import { readBody } from './read-body.ts';
import { text } from './schema-parts.ts';

const WHY = 'this engine has no client for registries yet';
/** What clients mean when they name none. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

const authSchema = z.object({ serveraddress: text });

export function registryRoutes(app: FastifyInstance): void {
  app.post('/auth', (request) => {
    const { serveraddress } = readBody(authSchema, request.body);
    throw new EngineError('unavailable', `Cannot log in to "${serveraddress || DOCKER_HUB}": ${WHY}`);
  });
  // A name has slashes of its own.
  app.get('/distribution/*', (request) => {
    const { '*': rest } = request.params as { '*': string };
    const match = /^(.+)\/json$/.exec(rest);
    if (!match) throw new EngineError('not_found', 'page not found');
    const name = familiarName(parseReference(match[1] ?? ''));
    throw new EngineError('unavailable', `Cannot look "${name}" up in its registry: ${WHY}`);
  });
}
