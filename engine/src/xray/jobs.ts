// The jobs of the engine: runs each operation so that whoever listens gets its steps as they come. Without a listener an
// operation is run as it is, and nothing is counted, kept or timed.
import { once, EventEmitter } from 'node:events';
import { traceTo } from '../kernel/trace.ts';
import type { JobEvent } from '../model/job.ts';

/** What one slow listener may have waiting; a container's start has some hundred steps. */
const MOST_WAITING = 20_000;

export class Jobs {
  readonly #emitter = new EventEmitter().setMaxListeners(0);
  #last = 0;

  /** Runs one operation as a job. Its errors are the operation's own. */
  run<T>(operation: string, target: string, work: () => Promise<T>): Promise<T> {
    if (this.#emitter.listenerCount('event') === 0) return work();
    return this.#recorded(operation, target, work);
  }

  async #recorded<T>(operation: string, target: string, work: () => Promise<T>): Promise<T> {
    const id = (this.#last += 1);
    const beganNs = process.hrtime.bigint();
    this.#tell({ kind: 'began', job: { id, operation, target, startedAtMs: Date.now() } });
    const ended = (error: string | null) =>
      this.#tell({ kind: 'ended', job: id, ns: Number(process.hrtime.bigint() - beganNs), error });
    try {
      const result = await traceTo(({ beganNs: stepNs, ...step }) => {
        this.#tell({ kind: 'step', job: id, step: { ...step, args: [...step.args], atNs: Number(stepNs - beganNs) } });
      }, work);
      ended(null);
      return result;
    } catch (error) {
      ended(error instanceof Error ? error.message : String(error));
      throw error;
    }
  }

  /** All jobs that begin from now on, until the signal aborts. Who reads too slowly is told how many events he missed. */
  async *listen(signal: AbortSignal): AsyncIterable<JobEvent> {
    const waiting: JobEvent[] = [];
    const news = new EventEmitter();
    let lost = 0;
    const take = (event: JobEvent) => {
      if (waiting.length < MOST_WAITING) waiting.push(event);
      else lost += 1;
      news.emit('news');
    };
    this.#emitter.on('event', take);
    try {
      while (!signal.aborted) {
        if (waiting.length === 0) await once(news, 'news', { signal }).catch(() => undefined);
        yield* waiting.splice(0);
        if (lost > 0) yield { kind: 'lost', events: lost };
        lost = 0;
      }
    } finally {
      this.#emitter.off('event', take);
    }
  }

  #tell(event: JobEvent): void {
    this.#emitter.emit('event', event);
  }
}

/** For each verb that is a job: what it is called, and whom it is about, from the verb's arguments. */
export type JobNames<B> = { readonly [K in keyof B]?: readonly [string, (...args: never[]) => string] };

/** The same backend; the named verbs are run as jobs. */
export function asJobs<B extends object>(jobs: Jobs, backend: B, names: JobNames<B>): B {
  const wrapped: Record<string, unknown> = {};
  for (const [verb, [operation, targetOf]] of Object.entries(names) as [
    string,
    readonly [string, (...args: unknown[]) => string],
  ][]) {
    const run = (backend as Record<string, (...args: unknown[]) => Promise<unknown>>)[verb];
    wrapped[verb] = (...args: unknown[]) =>
      jobs.run(operation, targetOf(...args), async () => run?.apply(backend, args));
  }
  return { ...backend, ...wrapped };
}
