// POST /images/create: imports a root file system (fromSrc). Pulling (fromImage) and search need a registry, which this engine
// has no client for: they say so.
import type { FastifyInstance } from 'fastify';
import { EngineError } from '../../model/engine-error.ts';
import { bodyStream } from './images.ts';
import { jsonStream } from './json-stream.ts';
import { queryText, queryTexts } from './query.ts';

export interface ImagesCreateBackend {
  /** The new image's id. A `source` that is not "-" is a URL. */
  import(
    archive: AsyncIterable<Uint8Array>,
    options: {
      readonly source: string;
      readonly repository: string;
      readonly tag: string;
      readonly message: string;
      readonly changes: readonly string[];
      readonly platform: string;
    },
    tell: (message: object) => void,
  ): Promise<string>;
  /** Refuses to pull, in words that fit: for a name or platform that is none, for an image that is here, for another. */
  pull(name: string, tag: string, platform: string): never;
}

export function imageCreateRoutes(app: FastifyInstance, backend: ImagesCreateBackend): void {
  app.post('/images/create', (request, reply) => {
    const text = (key: string) => queryText(request.query, key) ?? '';
    const platform = text('platform');
    if (text('fromImage') !== '') return backend.pull(text('fromImage'), text('tag'), platform);
    const source = text('fromSrc');
    if (source === '')
      throw new EngineError('invalid_argument', 'Cannot create an image: neither fromImage nor fromSrc was given');
    const options = {
      source,
      repository: text('repo'),
      tag: text('tag'),
      message: text('message'),
      changes: queryTexts(request.query, 'changes'),
      platform,
    };
    return jsonStream(reply, async (tell) => {
      tell({ status: await backend.import(bodyStream(request), options, tell) });
    });
  });

  app.get('/images/search', ({ query }) => {
    const term = queryText(query, 'term') ?? '';
    throw new EngineError(
      'unavailable',
      `Cannot search for "${term}": this engine has no client for registries yet; docker images lists what is here`,
    );
  });
}
