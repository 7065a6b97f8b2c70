// The routes of lab.sock, typed: what this process asks of the engine. Every answer is checked by the engine's schemas.
import { z } from 'zod';
import * as lab from '@drydock/engine/api/lab/schemas.ts';
import { pingSchema } from '@drydock/engine/api/lab/route-table.ts';
import type { Observation, Watch } from '@drydock/engine/model/observed.ts';
import { EngineHttp } from './engine-http.ts';
import { openObservation } from './observation-stream.ts';
import { openTerminalStream, type EngineTerminalStream } from './terminal-stream.ts';

/** A sandbox may have to format its disk first; an admitted one still answers at once, with its place in the queue. */
const START_TIMEOUT_MS = 60_000;

export class EngineClient {
  readonly #http: EngineHttp;
  constructor(socketPath: string) {
    this.#http = new EngineHttp(socketPath);
  }

  ping(): Promise<z.infer<typeof pingSchema>> {
    return this.#ask(pingSchema, 'GET', '/lab/ping', undefined, 3000);
  }

  create(request: z.input<typeof lab.createSandboxSchema>): Promise<lab.Sandbox> {
    return this.#ask(lab.sandboxSchema, 'POST', '/lab/sandboxes', request, START_TIMEOUT_MS);
  }

  get(id: string): Promise<lab.Sandbox> {
    return this.#ask(lab.sandboxSchema, 'GET', sandbox(id));
  }

  act(id: string, action: 'start' | 'stop' | 'freeze' | 'thaw' | 'reset'): Promise<lab.Sandbox> {
    return this.#ask(lab.sandboxSchema, 'POST', `${sandbox(id)}/${action}`, {}, START_TIMEOUT_MS);
  }

  async remove(id: string): Promise<void> {
    await this.#http.ask({ method: 'DELETE', path: sandbox(id), timeoutMs: START_TIMEOUT_MS });
  }

  stats(id: string): Promise<lab.Stats> {
    return this.#ask(lab.statsSchema, 'GET', `${sandbox(id)}/stats`);
  }

  terminals(id: string): Promise<lab.Terminal[]> {
    return this.#ask(z.array(lab.terminalSchema), 'GET', `${sandbox(id)}/terminals`);
  }

  openTerminal(id: string, request: z.input<typeof lab.createTerminalSchema>): Promise<lab.Terminal> {
    return this.#ask(lab.terminalSchema, 'POST', `${sandbox(id)}/terminals`, request);
  }

  terminal(id: string, terminal: string): Promise<lab.Terminal> {
    return this.#ask(lab.terminalSchema, 'GET', terminalPath(id, terminal));
  }

  async resizeTerminal(id: string, terminal: string, size: { cols: number; rows: number }): Promise<void> {
    await this.#http.ask({ method: 'POST', path: `${terminalPath(id, terminal)}/size`, body: size });
  }

  async closeTerminal(id: string, terminal: string): Promise<void> {
    await this.#http.ask({ method: 'DELETE', path: terminalPath(id, terminal) });
  }

  /** Follows a terminal from a position, or from the oldest byte that is kept. */
  streamTerminal(id: string, terminal: string, from: number): Promise<EngineTerminalStream> {
    return openTerminalStream(this.#http, `${terminalPath(id, terminal)}/stream?from=${from}`);
  }

  exec(id: string, request: z.input<typeof lab.execSchema>): Promise<lab.ExecResult> {
    const timeoutMs = (request.timeoutMs ?? 10_000) + 5000;
    return this.#ask(lab.execResultSchema, 'POST', `${sandbox(id)}/exec`, request, timeoutMs);
  }

  listDirectory(id: string, path: string): Promise<lab.FileEntry[]> {
    return this.#ask(
      z.array(lab.fileEntrySchema),
      'GET',
      `${sandbox(id)}/files?list=1&path=${encodeURIComponent(path)}`,
    );
  }

  readFile(id: string, path: string): Promise<lab.SandboxFile> {
    return this.#ask(lab.fileSchema, 'GET', `${sandbox(id)}/files?path=${encodeURIComponent(path)}`);
  }

  writeFile(id: string, request: lab.WriteFile): Promise<lab.SandboxFile> {
    return this.#ask(lab.fileSchema, 'PUT', `${sandbox(id)}/files`, request);
  }

  /** A snapshot, then patches, until the signal aborts or the engine ends it. */
  observe(id: string, watch: Watch, signal: AbortSignal): AsyncIterable<Observation> {
    return openObservation(
      this.#http,
      `${sandbox(id)}/observe?namespaces=${watch.namespaces}&mounts=${watch.mounts}`,
      signal,
    );
  }

  close(): void {
    this.#http.close();
  }

  async #ask<T extends z.ZodType>(
    answer: T,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: unknown,
    timeoutMs?: number,
  ): Promise<z.infer<T>> {
    const json = await this.#http.ask({
      method,
      path,
      ...(body !== undefined && { body }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    });
    return answer.parse(json);
  }
}

const sandbox = (id: string): string => `/lab/sandboxes/${encodeURIComponent(id)}`;
const terminalPath = (id: string, terminal: string): string =>
  `${sandbox(id)}/terminals/${encodeURIComponent(terminal)}`;
