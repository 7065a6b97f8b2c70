// POST /containers/ID/attach and /containers/ID/resize.
import type { FastifyInstance } from 'fastify';
import type { AttachAsked } from '../../container/attach.ts';
import type { HijackRoute } from './hijack.ts';
import { queryFlag, queryNumber } from './query.ts';
import { EngineError } from '../../model/engine-error.ts';
import type { StreamsBackend } from './streams-backend.ts';

export function attachAsked(query: Readonly<Record<string, string>>): AttachAsked {
  return {
    stdin: queryFlag(query, 'stdin'),
    stdout: queryFlag(query, 'stdout'),
    stderr: queryFlag(query, 'stderr'),
    logs: queryFlag(query, 'logs'),
    stream: queryFlag(query, 'stream'),
    detachKeys: query['detachKeys'] ?? '',
  };
}

export function attachHijack(backend: StreamsBackend): HijackRoute {
  return {
    url: '/containers/:id/attach',
    serve({ id, query }) {
      // Now, before the answer: the client starts the container when it has seen that.
      const session = backend.attach(id, attachAsked(query));
      return { terminal: session.terminal, open: () => session };
    },
  };
}

/** Columns and rows of a resize. Throws invalid_argument. */
export function sizeOf(query: unknown): { cols: number; rows: number } {
  const [rows, cols] = [queryNumber(query, 'h'), queryNumber(query, 'w')];
  const isSize = (number: number | undefined): number is number =>
    number !== undefined && number >= 0 && number <= 0xffff;
  if (isSize(rows) && isSize(cols)) return { cols, rows };
  throw new EngineError('invalid_argument', 'Cannot resize: "h" and "w" are numbers from 0 to 65535');
}

export function resizeRoute(app: FastifyInstance, backend: StreamsBackend): void {
  app.post<{ Params: { id: string } }>('/containers/:id/resize', async (request, reply) => {
    const { cols, rows } = sizeOf(request.query);
    await backend.resize(request.params.id, cols, rows);
    return reply.status(200).send();
  });
}
