// The state of one observed sandbox, and all who look at it: numbers the changes and hands them on.
import { MAX_EXITS } from '../model/apply-patch.ts';
import type { ObservedExit, ObservedProcess, Patch, Snapshot, Watch } from '../model/observed.ts';
import { emptyChange, type Change } from './change.ts';
import { Listener } from './listener.ts';
import type { Start } from './tracker.ts';

export interface FeedSource {
  sandbox: string;
  kernel: Snapshot['kernel'];
  /** Id of the lab terminal whose shell has this pid. */
  terminalOf(hostPid: number): string | null;
}

export class Feed {
  readonly #source: FeedSource;
  readonly #listeners = new Map<Listener, Watch>();
  readonly #processes = new Map<string, ObservedProcess>();
  #start: Start | null = null;
  #exits: ObservedExit[] = [];
  #seq = 0;
  #atMs = 0;

  constructor(source: FeedSource) {
    this.#source = source;
  }

  /** Someone looks; a snapshot comes first. `changed` is called when the union of what is watched may have changed. */
  listen(watch: Watch, changed: () => void): Listener {
    const listener: Listener = new Listener(
      () => this.snapshot(),
      () => {
        this.#listeners.delete(listener);
        changed();
      },
    );
    this.#listeners.set(listener, watch);
    if (this.#start) listener.push(this.snapshot());
    changed();
    return listener;
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  /** What anyone of those who look has asked for. */
  get watch(): Watch {
    const all = [...this.#listeners.values()];
    return { namespaces: all.some((watch) => watch.namespaces), mounts: all.some((watch) => watch.mounts) };
  }

  snapshot(): Snapshot {
    if (this.#start === null) throw new Error(`sandbox ${this.#source.sandbox} was not looked at yet`);
    return {
      kind: 'snapshot',
      seq: this.#seq,
      atMs: this.#atMs,
      sandbox: this.#source.sandbox,
      namespaces: this.#start.namespaces,
      kernel: this.#source.kernel,
      hostname: this.#start.hostname,
      processes: [...this.#processes.values()],
      exits: [...this.#exits],
    };
  }

  /** The first look is there: who waits gets it. */
  started(start: Start, atMs: number): void {
    this.#start = start;
    this.#atMs = atMs;
    this.#seq++;
    this.#processes.clear();
    for (const process of start.processes) this.#processes.set(process.key, this.#named(process));
    const snapshot = this.snapshot();
    for (const listener of this.#listeners.keys()) listener.push(snapshot);
  }

  #named(process: ObservedProcess): ObservedProcess {
    return { ...process, terminal: this.#source.terminalOf(process.hostPid) };
  }

  change(change: Change): void {
    if (this.#start === null) return;
    const patch: Patch = {
      kind: 'patch',
      seq: ++this.#seq,
      ...change,
      upsert: change.upsert.map((process) => this.#named(process)),
    };
    this.#atMs = patch.atMs;
    // As applyPatch does, but in place: a state of 500 processes need not be copied for each patch.
    const zombies = new Set<string>();
    for (const process of patch.upsert) {
      this.#processes.set(process.key, process);
      if (process.state === 'Z') zombies.add(process.key);
    }
    for (const { key } of patch.exits) if (!zombies.has(key)) this.#processes.delete(key);
    for (const key of patch.gone) this.#processes.delete(key);
    this.#exits = [...this.#exits, ...patch.exits].slice(-MAX_EXITS);
    if (patch.hostname !== undefined) this.#start = { ...this.#start, hostname: patch.hostname };
    for (const listener of this.#listeners.keys()) listener.push(patch);
  }

  /** A terminal was opened or closed: says which processes are shells of terminals now. */
  terminalsChanged(atMs: number): void {
    const upsert = [...this.#processes.values()].filter(
      (process) => process.terminal !== this.#source.terminalOf(process.hostPid),
    );
    if (upsert.length > 0) this.change({ ...emptyChange(), atMs, upsert });
  }

  end(error: Error | null): void {
    for (const listener of this.#listeners.keys()) listener.end(error);
  }
}
