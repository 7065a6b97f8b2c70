// POST /commit: a container becomes an image (moby's swagger, ImageCommit).
import type { FastifyInstance } from 'fastify';
import type { ImageDefaults } from '../../model/image-defaults.ts';
import { readImageDefaults } from '../../model/image-manifest.ts';
import { queryFlag, queryText, queryTexts } from './query.ts';

export interface CommitBackend {
  commit(ask: {
    readonly container: string;
    readonly pause: boolean;
    readonly repository: string;
    readonly tag: string;
    readonly author: string;
    readonly comment: string;
    readonly changes: readonly string[];
    readonly config: ImageDefaults;
  }): Promise<{ readonly id: string }>;
}

export function commitRoute(app: FastifyInstance, backend: CommitBackend): void {
  app.post('/commit', async ({ query, body }, reply) => {
    const text = (key: string) => queryText(query, key) ?? '';
    const { id } = await backend.commit({
      container: text('container'),
      pause: queryFlag(query, 'pause', true),
      repository: text('repo'),
      tag: text('tag'),
      author: text('author'),
      comment: text('comment'),
      changes: queryTexts(query, 'changes'),
      config: readImageDefaults(body),
    });
    return reply.status(201).send({ Id: id });
  });
}
