// What is known of a sandbox across restarts: of the daemon (all of it) and of the machine (the part under the root).
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { limitsSchema, sandboxIdSchema } from '../api/lab/schemas.ts';
import { readIfThere, writeAtomically } from '../kernel/atomic-file.ts';

const recordSchema = z.object({
  id: sandboxIdSchema,
  hostname: z.string(),
  limits: limitsSchema,
  slot: z.number().int(),
  createdAtMs: z.number(),
});

const terminalSchema = z.object({
  id: z.string(),
  tty: z.string(),
  hostPid: z.number().int(),
  pid: z.number().int(),
  createdAtMs: z.number(),
});

/** Alive only while the machine is up: the keeper's directory of the same name says whether it still is. */
const runtimeSchema = z.object({
  initPid: z.number().int(),
  initStartTicks: z.number().int(),
  startedAtMs: z.number(),
  terminals: z.array(terminalSchema),
});

export type SandboxRecord = z.infer<typeof recordSchema>;
export type Runtime = z.infer<typeof runtimeSchema>;
export type TerminalRecord = z.infer<typeof terminalSchema>;

/** The directories of one sandbox and what is written there. */
export class SandboxFiles {
  /** Below the daemon's root: outlives the machine's boot. */
  readonly directory: string;
  readonly disk: string;
  readonly lesson: string;
  readonly #runtime: string;

  constructor(root: string, run: string, id: string) {
    this.directory = join(root, 'sandboxes', id);
    this.disk = join(this.directory, 'disk.img');
    this.lesson = join(this.directory, 'lesson');
    this.#runtime = join(run, 'sandboxes', `${id}.json`);
  }

  make(): void {
    mkdirSync(this.lesson, { recursive: true });
  }

  lessonFiles(): { name: string; text: string }[] {
    return readdirSync(this.lesson).map((name) => ({ name, text: readFileSync(join(this.lesson, name), 'utf8') }));
  }

  saveRecord(record: SandboxRecord): void {
    writeAtomically(join(this.directory, 'sandbox.json'), JSON.stringify(record));
  }

  /** Null when there is no sandbox, or a crash left a directory before its record was written. */
  record(): SandboxRecord | null {
    return parsed(recordSchema, readIfThere(join(this.directory, 'sandbox.json')));
  }

  saveRuntime(runtime: Runtime): void {
    writeAtomically(this.#runtime, JSON.stringify(runtime));
  }

  runtime(): Runtime | null {
    return parsed(runtimeSchema, readIfThere(this.#runtime));
  }

  forgetRuntime(): void {
    rmSync(this.#runtime, { force: true });
  }

  remove(): void {
    this.forgetRuntime();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

function parsed<T extends z.ZodType>(schema: T, text: string | null): z.infer<T> | null {
  if (text === null) return null;
  const result = schema.safeParse(JSON.parse(text));
  return result.success ? result.data : null;
}

/** Ids of all sandboxes that have a directory under this root. */
export function sandboxIds(root: string): string[] {
  const directory = join(root, 'sandboxes');
  return existsSync(directory) ? readdirSync(directory).filter((name) => sandboxIdSchema.safeParse(name).success) : [];
}
