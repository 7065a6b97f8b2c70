// /images: lists, inspects, names, removes and loads images as Docker's API 1.50 does (moby's swagger, "Image"). A name has
// slashes and colons in it, so what is done with one is told by the end of the path.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { EngineError } from '../../model/engine-error.ts';
import { parseTimeNs } from '../../model/go-time.ts';
import { flagFilter, type Filters, labelsMatch, parseFilters } from './filters.ts';
import type { ImagesBackend } from './images-backend.ts';
import { jsonStream } from './json-stream.ts';
import { queryFlag, queryText, queryTexts } from './query.ts';
import { requestedMinor } from './version-prefix.ts';

const LIST_FILTERS = ['dangling', 'label', 'label!', 'before', 'since', 'reference', 'until'];

type NameRequest = FastifyRequest<{ Params: { '*': string } }>;
type Handler = (request: NameRequest, reply: FastifyReply, name: string) => unknown;

/** Routes of the form /images/NAME/VERB, by method and verb; "" is /images/NAME itself. */
function nameRoutes(app: FastifyInstance, method: 'GET' | 'POST' | 'DELETE', verbs: Readonly<Record<string, Handler>>) {
  app.route({
    method,
    url: '/images/*',
    exposeHeadRoute: false,
    handler: (request, reply) => {
      const path = (request.params as { '*': string })['*'];
      const at = path.lastIndexOf('/');
      const verb = verbs[path.slice(at + 1)];
      if (at > 0 && verb) return verb(request as NameRequest, reply, path.slice(0, at));
      const whole = verbs[''];
      if (whole && path !== '') return whole(request as NameRequest, reply, path);
      return reply.callNotFound();
    },
  });
}

/** `until` of a prune or list: a time, or how long ago. */
export function untilFilter(filters: Filters): number | undefined {
  const values = filters.get('until');
  if (values === undefined) return undefined;
  const [value = ''] = values;
  if (values.length > 1) throw new EngineError('invalid_argument', 'more than one until filter specified');
  return Number(parseTimeNs(value, BigInt(Date.now()) * 1_000_000n) / 1_000_000n);
}

/** The body as it streams in. */
export const bodyStream = (request: FastifyRequest): AsyncIterable<Uint8Array> =>
  request.body instanceof Readable ? request.body : Readable.from([]);

/** VirtualSize was the same as Size, and is gone since 1.44. */
const withVirtualSize = <T extends { readonly Size: number }>(answer: T, originalUrl: string) =>
  requestedMinor(originalUrl) < 44 ? { ...answer, VirtualSize: answer.Size } : answer;

export function imageRoutes(app: FastifyInstance, backend: ImagesBackend): void {
  app.get('/images/json', async ({ query, originalUrl }) => {
    const filters = parseFilters(queryText(query, 'filters'), LIST_FILTERS);
    // Before filters had names, `filter` was a name's pattern.
    const old = queryText(query, 'filter');
    const references = old === undefined || old === '' ? filters.get('reference') : [old];
    const [dangling, untilMs] = [flagFilter(filters, 'dangling'), untilFilter(filters)];
    const [[before] = [], [since] = []] = [filters.get('before'), filters.get('since')];
    const images = await backend.list({
      all: queryFlag(query, 'all'),
      sharedSize: queryFlag(query, 'shared-size'),
      filters: {
        matchesLabels: (labels) => labelsMatch(labels, filters),
        ...(dangling === undefined ? {} : { dangling }),
        ...(references === undefined ? {} : { references }),
        ...(before === undefined ? {} : { before }),
        ...(since === undefined ? {} : { since }),
        ...(untilMs === undefined ? {} : { untilMs }),
      },
    });
    return images.map((image) => withVirtualSize(image, originalUrl));
  });

  app.post('/images/load', (request, reply) => {
    const quiet = queryFlag(request.query, 'quiet');
    // Clients look for what went wrong in the stream: docker-py tells a bad archive from a bad call by it.
    return jsonStream(
      reply,
      (tell) =>
        backend.load(bodyStream(request), (message) => {
          if (!quiet || 'stream' in message) tell(message);
        }),
      'in the stream',
    );
  });

  app.post('/images/prune', ({ query }) => {
    const filters = parseFilters(queryText(query, 'filters'), ['dangling', 'label', 'label!', 'until']);
    const untilMs = untilFilter(filters);
    return backend.prune({
      danglingOnly: flagFilter(filters, 'dangling') ?? true,
      matchesLabels: (labels) => labelsMatch(labels, filters),
      ...(untilMs === undefined ? {} : { untilMs }),
    });
  });

  const save = (reply: FastifyReply, names: readonly string[]) =>
    reply.type('application/x-tar').send(Readable.from(backend.save(names), { objectMode: false }));

  app.get('/images/get', ({ query }, reply) => {
    const names = queryTexts(query, 'names');
    if (names.length === 0) throw new EngineError('invalid_argument', 'Cannot save images: no names were given');
    return save(reply, names);
  });

  nameRoutes(app, 'GET', {
    get: (_request, reply, name) => save(reply, [name]),
    json: async ({ originalUrl }, _reply, name) => withVirtualSize(await backend.inspect(name), originalUrl),
    history: (_request, _reply, name) => backend.history(name),
  });

  nameRoutes(app, 'POST', {
    tag: ({ query }, reply, name) => {
      backend.tag(name, queryText(query, 'repo') ?? '', queryText(query, 'tag') ?? '');
      return reply.status(201).send();
    },
  });

  nameRoutes(app, 'DELETE', {
    '': ({ query }, _reply, name) =>
      backend.remove(name, { force: queryFlag(query, 'force'), prune: !queryFlag(query, 'noprune') }),
  });
}
