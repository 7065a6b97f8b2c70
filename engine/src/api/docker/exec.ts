// The four routes of exec: make it, start it (a connection like attach's, or detached), look at it, resize its terminal.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { inspectExec } from '../../model/exec-config.ts';
import { sizeOf } from './attach.ts';
import type { HijackRoute } from './hijack.ts';
import { readBody } from './read-body.ts';
import { command, flag, text, texts } from './schema-parts.ts';
import type { StreamsBackend } from './streams-backend.ts';
import { API_VERSION } from './version-prefix.ts';

const consoleSize = z
  .tuple([z.number().int().min(0), z.number().int().min(0)])
  .nullish()
  .transform((size) => (size && size[0] > 0 && size[1] > 0 ? size : null));

const createSchema = z.object({
  User: text,
  Privileged: flag,
  Tty: flag,
  ConsoleSize: consoleSize,
  AttachStdin: flag,
  AttachStderr: flag,
  AttachStdout: flag,
  DetachKeys: text,
  Env: texts,
  WorkingDir: text,
  Cmd: command.transform((argv) => argv ?? []),
});

const startSchema = z.object({ Detach: flag, Tty: flag, ConsoleSize: consoleSize });

/** What Docker's own answers have besides, here only. */
const HEADERS = { 'Api-Version': API_VERSION, 'Docker-Experimental': 'false', Ostype: 'linux' } as const;

export function execStartHijack(backend: StreamsBackend): HijackRoute {
  return {
    url: '/exec/:id/start',
    async serve({ id, body }) {
      const { Detach, Tty, ConsoleSize } = readBody(startSchema, body);
      backend.exec.check(id);
      if (Detach) {
        await backend.exec.startDetached(id, ConsoleSize);
        return null;
      }
      return { terminal: Tty, headers: HEADERS, open: () => backend.exec.start(id, ConsoleSize) };
    },
  };
}

export function execRoutes(app: FastifyInstance, backend: StreamsBackend): void {
  app.post<{ Params: { id: string } }>('/containers/:id/exec', (request, reply) => {
    const Id = backend.exec.create(request.params.id, readBody(createSchema, request.body));
    return reply.status(201).send({ Id });
  });

  app.get<{ Params: { id: string } }>('/exec/:id/json', (request) =>
    inspectExec(backend.exec.inspect(request.params.id)),
  );

  app.post<{ Params: { id: string } }>('/exec/:id/resize', async (request, reply) => {
    const { cols, rows } = sizeOf(request.query);
    await backend.exec.resize(request.params.id, cols, rows);
    return reply.status(200).send();
  });
}
