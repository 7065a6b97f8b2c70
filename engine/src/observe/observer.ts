// Observation of sandboxes, for the engine: one thread and one observer for each sandbox, only while someone looks.
import { release } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { closeDescriptor, eventfd, signalEventfd } from '../kernel/epoll.ts';
import { startWorker } from '../kernel/worker-thread.ts';
import { EngineError } from '../model/engine-error.ts';
import type { Observation, Snapshot, Watch } from '../model/observed.ts';
import { Feed } from './feed.ts';
import type { Command, ObserveData, Report } from './messages.ts';

export interface ObservationOptions {
  /** The daemon's instance id: its sandboxes are the groups below drydock-<instance>. */
  instance: string;
  cgroup: Snapshot['kernel']['cgroup'];
  /** Id of the lab terminal of that sandbox whose shell has this pid (in the daemon's pid namespace), or null. */
  terminalOf(sandbox: string, hostPid: number): string | null;
}

export interface ObservedSandbox {
  id: string;
  /** Its first process, in the daemon's pid namespace. */
  initPid: number;
}

export interface ObservationService {
  /**
   * A snapshot, then patches with seq + 1 each; after a gap (a slow reader) a snapshot again. Ends when the signal aborts,
   * the loop is left, or the sandbox's first process has ended. Throws EngineError `conflict` when that has ended before.
   */
  observe(sandbox: ObservedSandbox, watch: Watch, signal: AbortSignal): AsyncIterable<Observation>;
  /** Somebody will look in a moment: starts the thread ahead, which takes longer than to make a sandbox. */
  warm(): void;
  /** Call after a terminal's shell has started or ended. */
  terminalsChanged(sandbox: string): void;
  close(): Promise<void>;
}

/** The thread ends when nobody has looked for so long: it costs some 10 MB. */
const LINGER_MS = 30_000;

interface Thread {
  worker: Worker;
  send(command: Command): void;
  ended: Promise<void>;
}

export function createObservation(options: ObservationOptions): ObservationService {
  const kernel = { release: release(), cgroup: options.cgroup };
  const feeds = new Map<string, { feed: Feed; run: number; initPid: number; told: string }>();
  let runs = 0;
  let thread: Thread | null = null;
  let linger: NodeJS.Timeout | undefined;

  function remove(id: string): void {
    feeds.delete(id);
    if (feeds.size === 0) endSoon();
  }

  function endSoon(): void {
    clearTimeout(linger);
    linger = setTimeout(() => void end(), LINGER_MS).unref();
  }

  function receive(report: Report): void {
    const entry = feeds.get(report.sandbox);
    if (entry === undefined || entry.run !== report.run) return;
    if (report.kind === 'started') entry.feed.started(report.start, report.atMs);
    else if (report.kind === 'change') entry.feed.change(report.change);
    else {
      remove(report.sandbox);
      const sentence = `Cannot observe sandbox "${report.sandbox}": ${report.message}. Start it, then look again.`;
      entry.feed.end(report.message === null ? null : new EngineError('conflict', sentence));
    }
  }

  function begin(): Thread {
    const wakeFd = eventfd();
    const data: ObserveData = { instance: options.instance, wakeFd };
    const source = new URL('./observe.worker.ts', import.meta.url);
    const worker = startWorker(source, import.meta.url, data, 'drydock-observe');
    const send = (command: Command) => {
      worker.postMessage(command);
      signalEventfd(wakeFd);
    };
    // A thread in a system call would hold up exit() for ever.
    const atExit = () => send({ kind: 'close' });
    process.once('exit', atExit);
    worker.on('message', receive);
    worker.on('error', (error) => {
      const sentence = 'Observation of the sandboxes has stopped: the thread that observes them failed. Look again.';
      const all = [...feeds.values()];
      feeds.clear();
      for (const { feed } of all) feed.end(new EngineError('internal', sentence, { cause: error }));
    });
    const ended = new Promise<void>((resolve) =>
      worker.once('exit', () => {
        process.off('exit', atExit);
        closeDescriptor(wakeFd);
        if (thread?.worker === worker) thread = null;
        resolve();
      }),
    );
    worker.unref();
    return { worker, send, ended };
  }

  const end = async (): Promise<void> => {
    clearTimeout(linger);
    const last = thread;
    thread = null;
    last?.send({ kind: 'close' });
    last?.worker.ref();
    await last?.ended;
  };

  /** Tells the thread what is to be watched now, if that is something else than before. */
  function update(id: string): void {
    const entry = feeds.get(id);
    if (entry === undefined) return;
    if (!entry.feed.isWatched) {
      thread?.send({ kind: 'stop', sandbox: id });
      return remove(id);
    }
    const { watch } = entry.feed;
    const told = JSON.stringify(watch);
    if (entry.told === told) return;
    const first = entry.told === '';
    entry.told = told;
    clearTimeout(linger);
    thread ??= begin();
    if (first) thread.send({ kind: 'start', sandbox: id, run: entry.run, initPid: entry.initPid, watch });
    else thread.send({ kind: 'watch', sandbox: id, watch });
  }

  return {
    observe: ({ id, initPid }, watch, signal) => ({
      [Symbol.asyncIterator]() {
        let entry = feeds.get(id);
        if (entry && entry.initPid !== initPid) {
          // Started again since: who looked at the former one has seen its end.
          feeds.delete(id);
          entry.feed.end(null);
          entry = undefined;
        }
        if (entry === undefined) {
          const terminalOf = (hostPid: number) => options.terminalOf(id, hostPid);
          entry = { feed: new Feed({ sandbox: id, kernel, terminalOf }), run: ++runs, initPid, told: '' };
          feeds.set(id, entry);
        }
        const listener = entry.feed.listen(watch, () => update(id));
        const leave = () => void listener.return();
        if (signal.aborted) leave();
        else signal.addEventListener('abort', leave, { once: true });
        return listener;
      },
    }),
    warm() {
      clearTimeout(linger);
      thread ??= begin();
      if (feeds.size === 0) endSoon();
    },
    terminalsChanged: (sandbox) => feeds.get(sandbox)?.feed.terminalsChanged(Date.now()),
    async close() {
      const all = [...feeds.values()];
      feeds.clear();
      for (const { feed } of all) feed.end(null);
      await end();
    },
  };
}
