// The lab routes as data: one table makes the handlers, the validation and the OpenAPI document.
import { z } from 'zod';
import { jobEventSchema } from '../../model/job.ts';
import { watchSchema, observationSchema } from '../../model/observed.ts';
import * as lab from './schemas.ts';

const sandboxParams = z.object({ id: lab.sandboxIdSchema });
const terminalParams = sandboxParams.extend({ terminal: lab.terminalSchema.shape.id });
/** A query's "true" or "false". */
const flag = z.stringbool();

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** Absent: 204, no body. */
  readonly answer?: z.ZodType;
  readonly status?: number;
  /** Media type of the answer where it is not one JSON value. */
  readonly type?: string;
}

export const pingSchema = z.object({ version: z.string(), kernel: z.string(), cgroup: z.enum(['v1', 'hybrid', 'v2']) });

/** Every route of lab.sock, by name. */
export const ROUTES = {
  openapi: {
    method: 'GET',
    path: '/lab/openapi.json',
    summary: 'This document',
    answer: z.record(z.string(), z.unknown()),
  },
  ping: {
    method: 'GET',
    path: '/lab/ping',
    summary: 'Version of the engine, kernel and cgroup flavour',
    answer: pingSchema,
  },
  list: { method: 'GET', path: '/lab/sandboxes', summary: 'All sandboxes', answer: z.array(lab.sandboxSchema) },
  create: {
    method: 'POST',
    path: '/lab/sandboxes',
    summary: 'Creates and starts a sandbox; one that exists is started again with its files',
    body: lab.createSandboxSchema,
    answer: lab.sandboxSchema,
    status: 201,
  },
  get: {
    method: 'GET',
    path: '/lab/sandboxes/{id}',
    summary: 'One sandbox',
    params: sandboxParams,
    answer: lab.sandboxSchema,
  },
  remove: {
    method: 'DELETE',
    path: '/lab/sandboxes/{id}',
    summary: 'Ends a sandbox and wipes its files',
    params: sandboxParams,
  },
  act: {
    method: 'POST',
    path: '/lab/sandboxes/{id}/{action}',
    summary: 'start (with its files), stop (files kept), freeze, thaw, reset (back to the image)',
    params: sandboxParams.extend({ action: z.enum(['start', 'stop', 'freeze', 'thaw', 'reset']) }),
    answer: lab.sandboxSchema,
  },
  stats: {
    method: 'GET',
    path: '/lab/sandboxes/{id}/stats',
    summary: 'Use against limits, from the cgroup files and the disk image',
    params: sandboxParams,
    answer: lab.statsSchema,
  },
  terminals: {
    method: 'GET',
    path: '/lab/sandboxes/{id}/terminals',
    summary: 'Its terminals, ended ones that nobody closed included',
    params: sandboxParams,
    answer: z.array(lab.terminalSchema),
  },
  openTerminal: {
    method: 'POST',
    path: '/lab/sandboxes/{id}/terminals',
    summary: 'Opens a terminal on the sandbox’s own devpts and starts a shell on it',
    params: sandboxParams,
    body: lab.createTerminalSchema,
    answer: lab.terminalSchema,
    status: 201,
  },
  terminal: {
    method: 'GET',
    path: '/lab/sandboxes/{id}/terminals/{terminal}',
    summary: 'One terminal',
    params: terminalParams,
    answer: lab.terminalSchema,
  },
  resizeTerminal: {
    method: 'POST',
    path: '/lab/sandboxes/{id}/terminals/{terminal}/size',
    summary: 'TIOCSWINSZ; the foreground process group gets SIGWINCH',
    params: terminalParams,
    body: lab.resizeSchema,
  },
  closeTerminal: {
    method: 'DELETE',
    path: '/lab/sandboxes/{id}/terminals/{terminal}',
    summary: 'Hangs up: the shell gets SIGHUP, then SIGKILL',
    params: terminalParams,
  },
  streamTerminal: {
    method: 'GET',
    path: '/lab/sandboxes/{id}/terminals/{terminal}/stream',
    summary:
      'With `Upgrade: drydock-terminal`: 101, then raw bytes both ways. `Drydock-Offset` is the position of the first byte sent; the end of the stream is the end of the shell',
    params: terminalParams,
    query: z.object({ from: z.coerce.number().int().min(0).default(0) }),
    answer: z.string(),
    status: 101,
    type: 'application/octet-stream',
  },
  exec: {
    method: 'POST',
    path: '/lab/sandboxes/{id}/exec',
    summary: 'Runs a program as the sandbox’s root and waits for its end',
    params: sandboxParams,
    body: lab.execSchema,
    answer: lab.execResultSchema,
  },
  readFile: {
    method: 'GET',
    path: '/lab/sandboxes/{id}/files',
    summary: 'A text file, or with `list` the entries of a directory; read with the learner’s rights',
    params: sandboxParams,
    query: z.object({ path: lab.pathSchema, list: flag.default(false) }),
    answer: z.union([lab.fileSchema, z.array(lab.fileEntrySchema)]),
  },
  writeFile: {
    method: 'PUT',
    path: '/lab/sandboxes/{id}/files',
    summary: 'Saves a text file; 409 when it changed since it was read',
    params: sandboxParams,
    body: lab.writeFileSchema,
    answer: lab.fileSchema,
  },
  observe: {
    method: 'GET',
    path: '/lab/sandboxes/{id}/observe',
    summary: 'A snapshot of what the kernel says of the sandbox, then patches as it changes: one JSON value a line',
    params: sandboxParams,
    query: z.object({
      namespaces: flag.default(watchSchema.shape.namespaces.parse(undefined)),
      mounts: flag.default(false),
    }),
    answer: observationSchema,
    type: 'application/x-ndjson',
  },
  jobs: {
    method: 'GET',
    path: '/lab/jobs',
    summary:
      'X-ray: every operation of the engine that begins from now on, with its system calls, netlink messages and file writes as they were made: one JSON value a line',
    answer: jobEventSchema,
    type: 'application/x-ndjson',
  },
} as const satisfies Record<string, Route>;

export type RouteName = keyof typeof ROUTES;
