// Puts the lab routes on a Fastify app: validates by the route table, calls the backend, streams observations.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { once } from 'node:events';
import type { z } from 'zod';
import { EngineError } from '../../model/engine-error.ts';
import type { JobEvent } from '../../model/job.ts';
import { openApiDocument } from './openapi.ts';
import { ROUTES, type pingSchema, type Route } from './route-table.ts';
import type { LabBackend } from './schemas.ts';

/** All jobs from now on, until the signal aborts. */
export interface JobsBackend {
  listen(signal: AbortSignal): AsyncIterable<JobEvent>;
}

interface Input<R extends Route> {
  params: R['params'] extends z.ZodType ? z.infer<R['params']> : undefined;
  query: R['query'] extends z.ZodType ? z.infer<R['query']> : undefined;
  body: R['body'] extends z.ZodType ? z.infer<R['body']> : undefined;
}

/** Checks one part of a request. The sentence names the field: `Cannot read body "limits.pids": expected number`. */
export function parse<T extends z.ZodType>(part: string, type: T, value: unknown): z.infer<T> {
  const result = type.safeParse(value ?? {});
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new EngineError(
    'invalid_argument',
    `Cannot read ${part} "${issue?.path.join('.') ?? ''}": ${issue?.message ?? 'not valid'}`,
  );
}

export interface LabBackends {
  lab: LabBackend;
  ping: () => z.infer<typeof pingSchema>;
  jobs: JobsBackend;
}

export function labRoutes(app: FastifyInstance, { lab, ping, jobs }: LabBackends): void {
  const on = <R extends Route>(route: R, handler: (input: Input<R>) => Promise<unknown>) =>
    app.route({
      method: route.method,
      url: route.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      handler: async (request, reply) => {
        const input = {
          params: route.params && parse('path', route.params, request.params),
          query: route.query && parse('query', route.query, request.query),
          body: route.body && parse('body', route.body, request.body),
        } as Input<R>;
        const answer = await handler(input);
        return reply.status(route.status ?? (route.answer ? 200 : 204)).send(answer);
      },
    });

  const document = openApiDocument(ping().version);
  on(ROUTES.openapi, async () => document);
  on(ROUTES.ping, async () => ping());
  on(ROUTES.list, () => lab.list());
  on(ROUTES.create, ({ body }) => lab.create(body));
  on(ROUTES.get, ({ params }) => lab.get(params.id));
  on(ROUTES.remove, ({ params }) => lab.remove(params.id));
  on(ROUTES.act, ({ params }) => lab[params.action](params.id));
  on(ROUTES.stats, ({ params }) => lab.stats(params.id));
  on(ROUTES.terminals, ({ params }) => lab.terminals(params.id));
  on(ROUTES.openTerminal, ({ params, body }) => lab.openTerminal(params.id, body));
  on(ROUTES.terminal, ({ params }) => lab.terminal(params.id, params.terminal));
  on(ROUTES.resizeTerminal, ({ params, body }) => lab.resizeTerminal(params.id, params.terminal, body));
  on(ROUTES.closeTerminal, ({ params }) => lab.closeTerminal(params.id, params.terminal));
  on(ROUTES.exec, ({ params, body }) => lab.exec(params.id, body));
  on(ROUTES.readFile, ({ params, query }): Promise<unknown> =>
    query.list ? lab.listDirectory(params.id, query.path) : lab.readFile(params.id, query.path),
  );
  on(ROUTES.writeFile, ({ params, body }) => lab.writeFile(params.id, body));

  app.get(ROUTES.observe.path.replace('{id}', ':id'), async (request, reply) => {
    const params = parse('path', ROUTES.observe.params, request.params);
    const watch = parse('query', ROUTES.observe.query, request.query);
    await lab.get(params.id);
    await sendLines(request, reply, ROUTES.observe.type, (signal) => lab.observe(params.id, watch, signal));
  });
  app.get(ROUTES.jobs.path, (request, reply) =>
    sendLines(request, reply, ROUTES.jobs.type, (signal) => jobs.listen(signal)),
  );
}

/** Streams values, one a line, for as long as the client listens. */
async function sendLines(
  request: FastifyRequest,
  reply: FastifyReply,
  type: string,
  values: (signal: AbortSignal) => AsyncIterable<unknown>,
): Promise<void> {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  reply.hijack();
  reply.raw.writeHead(200, { 'content-type': type });
  reply.raw.flushHeaders();
  try {
    for await (const value of values(gone.signal))
      if (!reply.raw.write(`${JSON.stringify(value)}\n`)) await once(reply.raw, 'drain', { signal: gone.signal });
  } catch (error) {
    // The status is sent already: the end of the stream says it is over, the log says why.
    if (!gone.signal.aborted) request.log.error(error, `${request.url} ended`);
  }
  reply.raw.end();
}
