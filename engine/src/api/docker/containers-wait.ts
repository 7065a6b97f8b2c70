// POST /containers/ID/wait: the answer's headers go out as soon as the wait is registered, its body when it is over. The
// docker CLI starts the container only when it has seen the headers.
import type { FastifyInstance } from 'fastify';
import type { ContainersBackend } from './containers-backend.ts';
import { queryText } from './query.ts';

export function containerWaitRoute(app: FastifyInstance, backend: Pick<ContainersBackend, 'wait'>): void {
  app.post('/containers/:id/wait', (request, reply) => {
    const { id } = request.params as { id: string };
    const left = new AbortController();
    const over = backend.wait(id, queryText(request.query, 'condition'), left.signal);
    reply.hijack();
    const { raw } = reply;
    raw.on('close', () => left.abort());
    raw.writeHead(200, { 'Content-Type': 'application/json' });
    raw.flushHeaders();
    over.then(
      ({ exitCode, error }) =>
        raw.end(`${JSON.stringify({ StatusCode: exitCode, ...(error !== null && { Error: { Message: error } }) })}\n`),
      () => raw.destroy(), // the client has left
    );
  });
}
