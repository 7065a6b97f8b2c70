// The typed routes of lab.sock: what the lab server may ask of the engine. Nothing here can name a host path, a
// privilege or an image outside the allow-list. The OpenAPI document is made from these schemas.
import { z } from 'zod';

export const sandboxIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,40}$/)
  .describe('chosen by the caller: one learner, one id');

export const limitsSchema = z.object({
  memoryBytes: z
    .number()
    .int()
    .min(64 * 2 ** 20)
    .default(512 * 2 ** 20),
  cpus: z.number().min(0.05).max(64).default(1),
  diskBytes: z
    .number()
    .int()
    .min(64 * 2 ** 20)
    .default(2 * 2 ** 30),
  pids: z.number().int().min(32).max(4096).default(512),
});

/** running: processes live. frozen: stopped by the freezer, memory kept. stopped: files kept, no process. */
export const sandboxStateSchema = z.enum(['starting', 'running', 'frozen', 'stopped', 'failed']);

export const createSandboxSchema = z.object({
  id: sandboxIdSchema,
  hostname: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/)
    .default('dock'),
  limits: limitsSchema.prefault({}),
  /** Lesson folder content shown read-only at /lesson, chosen by the server from its own lessons: name -> text. */
  lessonFiles: z.record(z.string().regex(/^[\w.-]{1,64}$/), z.string().max(65_536)).default({}),
});

export const sandboxSchema = z.object({
  id: sandboxIdSchema,
  state: sandboxStateSchema,
  hostname: z.string(),
  limits: limitsSchema,
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  cgroup: z.enum(['v1', 'hybrid', 'v2']),
  /** Place in the queue when the host has no room (admission), else null. */
  queuePlace: z.number().int().nullable(),
  message: z.string().nullable().describe('why it is failed, queued or stopped, in one sentence'),
});

export const createTerminalSchema = z.object({
  cols: z.number().int().min(2).max(1000).default(80),
  rows: z.number().int().min(2).max(1000).default(24),
  cwd: z.string().max(4096).default('/root'),
  argv: z.array(z.string().max(4096)).max(64).default(['/bin/bash', '-l']),
  env: z.record(z.string(), z.string().max(4096)).default({}),
});

export const terminalSchema = z.object({
  id: z.string().regex(/^[a-z0-9]{1,32}$/),
  sandbox: sandboxIdSchema,
  /** Learner's-host pid of the shell; null once it ended. */
  pid: z.number().int().nullable(),
  /** As `tty` prints it inside: "/dev/pts/0". */
  tty: z.string(),
  cols: z.number().int(),
  rows: z.number().int(),
  createdAtMs: z.number(),
  /** Bytes written by the terminal since its start; the last `keptBytes` of them can be read again. */
  writtenBytes: z.number().int(),
  keptBytes: z.number().int(),
  exit: z.object({ code: z.number().int().nullable(), signal: z.number().int().nullable() }).nullable(),
});

export const resizeSchema = z.object({
  cols: z.number().int().min(2).max(1000),
  rows: z.number().int().min(2).max(1000),
});

export const execSchema = z.object({
  argv: z.array(z.string().max(65_536)).min(1).max(256),
  env: z.record(z.string(), z.string().max(4096)).default({}),
  cwd: z.string().max(4096).default('/'),
  stdin: z
    .string()
    .max(2 ** 20)
    .optional(),
  timeoutMs: z.number().int().min(1).max(120_000).default(10_000),
});

export const execResultSchema = z.object({
  code: z.number().int().nullable(),
  signal: z.number().int().nullable(),
  stdout: z.string().describe('first 1 MiB, UTF-8, broken sequences replaced'),
  stderr: z.string(),
  truncated: z.boolean(),
  timedOut: z.boolean(),
});

export const pathSchema = z.string().min(1).max(4096).regex(/^\//, 'an absolute path inside the sandbox');

export const fileEntrySchema = z.object({
  name: z.string(),
  type: z.enum(['file', 'directory', 'symlink', 'other']),
});
export const fileSchema = z.object({
  path: pathSchema,
  text: z.string().describe('at most 1 MiB; larger or binary files are refused'),
  /** sha256 of the bytes; send it back with a save so that a change made elsewhere is not lost. */
  version: z.string(),
});
export const writeFileSchema = z.object({
  path: pathSchema,
  text: z.string().max(2 ** 20),
  version: z.string().nullable(),
});

export const statsSchema = z.object({
  cpuUsageUs: z.number().describe('microseconds of CPU since the sandbox started'),
  memoryBytes: z.number(),
  memoryLimitBytes: z.number(),
  oomKills: z.number(),
  pids: z.number(),
  pidsLimit: z.number(),
  diskBytes: z.number(),
  diskLimitBytes: z.number(),
  atMs: z.number(),
});

export const errorSchema = z.object({ message: z.string(), kind: z.string() });

export type Limits = z.infer<typeof limitsSchema>;
export type SandboxState = z.infer<typeof sandboxStateSchema>;
export type CreateSandbox = z.infer<typeof createSandboxSchema>;
export type Sandbox = z.infer<typeof sandboxSchema>;
export type CreateTerminal = z.infer<typeof createTerminalSchema>;
export type Terminal = z.infer<typeof terminalSchema>;
export type Exec = z.infer<typeof execSchema>;
export type ExecResult = z.infer<typeof execResultSchema>;
export type FileEntry = z.infer<typeof fileEntrySchema>;
export type SandboxFile = z.infer<typeof fileSchema>;
export type WriteFile = z.infer<typeof writeFileSchema>;
export type Stats = z.infer<typeof statsSchema>;

/** The narrow backend the lab routes need; api never sees the kernel. */
export interface LabBackend {
  list(): Promise<Sandbox[]>;
  /** Creates and starts; an existing id is started again with its files (idempotent). */
  create(request: CreateSandbox): Promise<Sandbox>;
  get(id: string): Promise<Sandbox>;
  start(id: string): Promise<Sandbox>;
  /** Ends every process, keeps the files. */
  stop(id: string): Promise<Sandbox>;
  freeze(id: string): Promise<Sandbox>;
  thaw(id: string): Promise<Sandbox>;
  /** Back to the image: every process, file and change of the learner is gone; same id, limits and slot. */
  reset(id: string): Promise<Sandbox>;
  remove(id: string): Promise<void>;
  stats(id: string): Promise<Stats>;

  terminals(id: string): Promise<Terminal[]>;
  openTerminal(id: string, request: CreateTerminal): Promise<Terminal>;
  terminal(id: string, terminal: string): Promise<Terminal>;
  resizeTerminal(id: string, terminal: string, size: { cols: number; rows: number }): Promise<void>;
  closeTerminal(id: string, terminal: string): Promise<void>;
  /** Follows a terminal: its bytes from `from` (or the oldest kept one) on; what is written to it is typed. */
  attachTerminal(id: string, terminal: string, from: number): Promise<TerminalStream>;

  exec(id: string, request: Exec): Promise<ExecResult>;
  listDirectory(id: string, path: string): Promise<FileEntry[]>;
  readFile(id: string, path: string): Promise<SandboxFile>;
  writeFile(id: string, request: WriteFile): Promise<SandboxFile>;

  /** Snapshot first, then patches, until the signal aborts. */
  observe(
    id: string,
    watch: import('../../model/observed.ts').Watch,
    signal: AbortSignal,
  ): AsyncIterable<import('../../model/observed.ts').Observation>;
}

/** offset: position of the first byte that will be read. duplex: reads are output (back-pressure holds the pty), writes are input. */
export interface TerminalStream {
  offset: number;
  duplex: import('node:stream').Duplex;
}
