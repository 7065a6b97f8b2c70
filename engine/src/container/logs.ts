// What a container has written and writes, line by line, as `docker logs` asks for it. Nobody waits for who reads it.
import type { Readable } from 'node:stream';
import { EngineError } from '../model/engine-error.ts';
import { rfc3339NanoFixed } from '../model/go-time.ts';
import { logPolicy } from '../model/log-config.ts';
import { LineCutter, type LogLine } from '../model/log-lines.ts';
import { type OutputChunk, readChunks } from '../model/output-chunks.ts';
import type { Container } from './container.ts';
import { LogFile } from './log-file.ts';
import { startOfTail, startOfTime } from './log-start.ts';
import type { OutputPiece } from './session.ts';

export interface LogsAsked {
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly follow: boolean;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly sinceNs: bigint | null;
  readonly untilNs: bigint | null;
  /** null: all. */
  readonly tail: number | null;
}

const MOST_TIMER_MS = 2 ** 31 - 1;

/** Throws at once when this container's log can't be read; what it gives ends early when the signal says so. */
export function logs(container: Container, asked: LogsAsked, signal: AbortSignal): AsyncIterable<OutputPiece[]> {
  const { config, hostConfig, state } = container.record;
  if (state.status === 'dead')
    throw new EngineError('conflict', 'can not get logs from container which is dead or marked for removal');
  const policy = logPolicy(hostConfig.LogConfig);
  if (policy.driver === 'none')
    throw new EngineError('not_implemented', 'configured logging driver does not support reading');
  const details = asked.details ? `${detailsOf(config, policy)} ` : '';
  const show = ({ stream, atNs, bytes }: LogLine): OutputPiece => {
    const head = `${asked.timestamps ? `${rfc3339NanoFixed(atNs)} ` : ''}${details}`;
    return { stream, bytes: head === '' ? bytes : Buffer.concat([Buffer.from(head), bytes]) };
  };
  const runs = asked.follow ? new Runs(container, signal) : null;
  const end = container.running?.kept.written;
  return (async function* () {
    try {
      for await (const lines of asLines(container.logPath, end, runs, asked)) {
        const shown = lines.filter(({ atNs }) => isAsked(atNs, asked)).map(show);
        if (shown.length > 0) yield shown;
        const last = lines.at(-1);
        if (signal.aborted || (last && asked.untilNs !== null && last.atNs > asked.untilNs)) return;
      }
    } finally {
      runs?.leave();
    }
  })();
}

const isAsked = (atNs: bigint, { sinceNs, untilNs }: LogsAsked): boolean =>
  (sinceNs === null || atNs >= sinceNs) && (untilNs === null || atNs <= untilNs);

async function* asLines(
  path: string,
  end: number | undefined,
  runs: Runs | null,
  asked: LogsAsked,
): AsyncGenerator<LogLine[]> {
  const wanted = ({ stream }: OutputChunk) => stream === 'begin' || asked[stream];
  const cutter = new LineCutter();
  const log = LogFile.open(path, end);
  if (log)
    try {
      const start = await startOf(log, asked, wanted, runs === null);
      let skip = start.skipLines;
      for await (const chunks of log.chunks(start.position)) {
        const lines = cutter.push(chunks.filter(wanted));
        yield lines.slice(skip);
        skip = Math.max(0, skip - lines.length);
      }
      if (!runs?.isLive) yield cutter.flush().slice(skip);
    } finally {
      log.close();
    }
  if (runs) for await (const chunks of runs.chunks()) yield cutter.push(chunks.filter(wanted));
  yield cutter.flush();
}

async function startOf(log: LogFile, asked: LogsAsked, wanted: (chunk: OutputChunk) => boolean, whole: boolean) {
  if (asked.tail !== null) return startOfTail(log, asked.tail, wanted, whole);
  if (asked.sinceNs !== null) return startOfTime(log, asked.sinceNs);
  return { position: log.keptFrom, skipLines: 0 };
}

/** The run that is, from here on, and those of its restart policy after it. */
class Runs {
  readonly #container: Container;
  readonly #streams: Readable[] = [];
  readonly #unwatch: () => void;
  #wake: () => void = () => undefined;
  #current: Readable | null = null;
  #hasLeft = false;

  constructor(container: Container, signal: AbortSignal) {
    this.#container = container;
    // Opened now: once a run has ended its handle opens no more.
    if (container.running) this.#open(container.running.kept.written);
    this.#unwatch = container.watch((news) => {
      if (news === 'started') this.#open();
      this.#wake();
    });
    signal.addEventListener('abort', () => this.leave(), { once: true });
  }

  /** Whether more may come. */
  get isLive(): boolean {
    return this.#streams.length > 0 || this.#container.record.state.status === 'restarting';
  }

  #open(from?: number): void {
    const stream = this.#container.running?.kept.follow(from, { holds: false }).stream;
    if (stream) this.#streams.push(stream);
  }

  async *chunks(): AsyncGenerator<OutputChunk[]> {
    while (this.isLive && !this.#hasLeft) {
      this.#current = this.#streams.shift() ?? null;
      if (!this.#current) {
        await new Promise<void>((resolve) => (this.#wake = resolve));
        continue;
      }
      try {
        for await (const bytes of this.#current as AsyncIterable<Uint8Array>) yield readChunks(bytes).chunks;
      } catch (error) {
        if (!this.#hasLeft) throw error; // it was we who destroyed the stream
      }
      // Its end is known here a moment before the container is told of it.
      if (!this.#hasLeft) await this.#told();
    }
  }

  /** Waits until the container knows that its run has ended: then its state says whether there will be another. */
  async #told(): Promise<void> {
    while (!this.#hasLeft && this.#streams.length === 0 && this.#container.running !== null)
      await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  leave(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    this.#unwatch();
    for (const stream of [this.#current, ...this.#streams]) stream?.destroy();
    this.#wake();
  }
}

/** Ends what follows a log at a time that is still to come. Call the result when it ended before. */
export function endAt(untilNs: bigint | null, nowNs: bigint, end: () => void): () => void {
  const ms = untilNs === null ? Infinity : Number((untilNs - nowNs) / 1_000_000n);
  if (ms <= 0 || ms > MOST_TIMER_MS) return () => undefined;
  const timer = setTimeout(end, ms + 1);
  return () => clearTimeout(timer);
}

/** As Docker's drivers write them: "key=value,key=value", escaped as in a query, of the labels and variables asked for. */
function detailsOf(
  config: Container['record']['config'],
  policy: { readonly labels: readonly string[]; readonly env: readonly string[] },
): string {
  const env = new Map(config.Env.map((one) => [one.split('=', 1)[0] ?? '', one.slice(one.indexOf('=') + 1)] as const));
  const labels = policy.labels.map((name) => [name, config.Labels[name]] as const);
  const variables = policy.env.map((name) => [name, env.get(name)] as const);
  return [...labels, ...variables]
    .flatMap(([name, value]) => (value === undefined ? [] : [`${escape(name)}=${escape(value)}`]))
    .sort()
    .join(',');
}

const escape = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+');
