// All sandboxes of one daemon: the backend of the lab routes.
import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { CreateSandbox, LabBackend, Sandbox as SandboxView } from '../api/lab/schemas.ts';
import type { Observation, Watch } from '../model/observed.ts';
import { EngineError } from '../model/engine-error.ts';
import { memoryFree } from '../system.ts';
import { Admission } from './admission.ts';
import { exec } from './exec.ts';
import { listDirectory, readFile, writeFile } from './files.ts';
import type { SandboxHost } from './host.ts';
import { SandboxFiles, sandboxIds } from './record.ts';
import { Sandbox } from './sandbox.ts';
import { Terminals } from './terminals.ts';

/** Follows what the kernel says of running sandboxes. */
export interface Observing {
  observe(sandbox: { id: string; initPid: number }, watch: Watch, signal: AbortSignal): AsyncIterable<Observation>;
  terminalsChanged(sandbox: string): void;
  /** A sandbox starts, and somebody will look at it. */
  warm(): void;
}

interface Entry {
  readonly sandbox: Sandbox;
  readonly terminals: Terminals;
}

export class Sandboxes {
  readonly #host: SandboxHost;
  readonly #observing: Observing;
  readonly #entries = new Map<string, Entry>();
  readonly #admission = new Admission(() => ({ memoryFree: memoryFree(), memoryTotal: totalmem() }));

  constructor(host: SandboxHost, observing: Observing) {
    this.#host = host;
    this.#observing = observing;
  }

  /** After the daemon's start: takes up what lives, clears what a crash left. */
  async recover(): Promise<void> {
    for (const id of sandboxIds(this.#host.root)) {
      const files = new SandboxFiles(this.#host.root, this.#host.run, id);
      const record = files.record();
      if (!record) {
        files.remove(); // a crash came before the record: nobody was told of this sandbox
        continue;
      }
      const entry = this.#add(new Sandbox(this.#host, files, record));
      await entry.sandbox.recover();
      if (entry.sandbox.state === 'running' || entry.sandbox.state === 'frozen') await entry.terminals.recover();
    }
    await this.#host.cgroups.collect(this.liveIds());
  }

  liveIds(): string[] {
    return [...this.#entries.values()]
      .filter(({ sandbox }) => sandbox.state === 'running' || sandbox.state === 'frozen')
      .map(({ sandbox }) => sandbox.id);
  }

  liveSlots(): number[] {
    return this.liveIds().map((id) => this.#entry(id).sandbox.record.slot);
  }

  /** Terminal of a sandbox whose shell has this host pid. */
  terminalOf(id: string, hostPid: number): string | null {
    return this.#entries.get(id)?.terminals.ofShell(hostPid) ?? null;
  }

  /** Bounds the groups learners make, where the kernel does not. */
  async trimGroups(): Promise<void> {
    for (const id of this.liveIds()) {
      try {
        const { action, groups } = await this.#host.cgroups.open(id).trimGroups();
        if (action !== 'none') this.#host.log.warn(`sandbox ${id} had ${groups} control groups: ${action}`);
      } catch (error) {
        // One that can't be trimmed now (it ends, or can't be frozen) must not keep the others from it.
        this.#host.log.warn(error, `sandbox ${id}: its control groups were not looked after`);
      }
    }
  }

  /** Lets go of the keepers without ending anything. */
  release(): void {
    for (const { sandbox, terminals } of this.#entries.values()) {
      terminals.release();
      sandbox.release();
    }
  }

  /** Ends all sandboxes; their files stay. */
  async stopAll(why: string): Promise<void> {
    for (const { sandbox } of this.#entries.values()) await sandbox.stop(why);
  }

  backend(): LabBackend {
    const of = (id: string) => this.#entry(id);
    const changed = async (id: string, change: (entry: Entry) => Promise<unknown>): Promise<SandboxView> => {
      await change(of(id));
      return this.#view(of(id));
    };
    const ended = (id: string, change: (entry: Entry) => Promise<unknown>) =>
      changed(id, async (entry) => {
        await change(entry);
        entry.terminals.forget();
      });
    return {
      list: async () => [...this.#entries.values()].map((entry) => this.#view(entry)),
      create: (request) => this.#create(request),
      get: async (id) => this.#view(of(id)),
      start: (id) => this.#start(of(id)),
      stop: (id) => ended(id, ({ sandbox }) => sandbox.stop('Stopped; its files are kept.')),
      freeze: (id) => changed(id, ({ sandbox }) => sandbox.freeze()),
      thaw: (id) => changed(id, ({ sandbox }) => sandbox.thaw()),
      reset: (id) => ended(id, ({ sandbox }) => sandbox.reset()),
      remove: async (id) => {
        await of(id).sandbox.remove();
        this.#entries.delete(id);
      },
      stats: async (id) => of(id).sandbox.stats(),
      terminals: async (id) => of(id).terminals.list(),
      openTerminal: async (id, request) => {
        const terminal = await of(id).terminals.open(request);
        this.#observing.terminalsChanged(id);
        return terminal;
      },
      terminal: async (id, terminal) => of(id).terminals.get(terminal),
      resizeTerminal: (id, terminal, { cols, rows }) => of(id).terminals.resize(terminal, cols, rows),
      closeTerminal: (id, terminal) => of(id).terminals.close(terminal),
      attachTerminal: async (id, terminal, from) => of(id).terminals.attach(terminal, from),
      exec: (id, request) => exec(this.#host, of(id).sandbox, request),
      listDirectory: (id, path) => listDirectory(this.#host, of(id).sandbox, path),
      readFile: (id, path) => readFile(this.#host, of(id).sandbox, path),
      writeFile: (id, request) => writeFile(this.#host, of(id).sandbox, request),
      observe: (id, watch, signal) =>
        this.#observing.observe({ id, initPid: of(id).sandbox.life().runtime.initPid }, watch, signal),
    };
  }

  #entry(id: string): Entry {
    const entry = this.#entries.get(id);
    if (entry) return entry;
    throw new EngineError('not_found', `Cannot find sandbox "${id}": there is none of this name`);
  }

  #add(sandbox: Sandbox): Entry {
    const entry = { sandbox, terminals: new Terminals(this.#host, sandbox) };
    this.#entries.set(sandbox.id, entry);
    return entry;
  }

  #view({ sandbox }: Entry): SandboxView {
    return sandbox.view(this.#admission.place(sandbox.id));
  }

  async #create({ id, hostname, limits, lessonFiles }: CreateSandbox): Promise<SandboxView> {
    const entry = this.#entries.get(id) ?? this.#make(id, hostname, limits);
    for (const [name, text] of Object.entries(lessonFiles)) writeFileSync(join(entry.sandbox.files.lesson, name), text);
    return this.#start(entry);
  }

  #make(id: string, hostname: string, limits: CreateSandbox['limits']): Entry {
    const files = new SandboxFiles(this.#host.root, this.#host.run, id);
    files.make();
    try {
      const slot = this.#host.slots.claim(files.directory);
      const record = { id, hostname, limits, slot, createdAtMs: Date.now() };
      files.saveRecord(record);
      return this.#add(new Sandbox(this.#host, files, record));
    } catch (error) {
      files.remove();
      throw error;
    }
  }

  /** Waits for its turn and starts; where the machine is full, answers at once with the place in the queue. */
  async #start(entry: Entry): Promise<SandboxView> {
    const { sandbox } = entry;
    if (sandbox.state === 'running' || this.#admission.place(sandbox.id) !== null) return this.#view(entry);
    this.#observing.warm();
    const started = this.#admission.run(sandbox.id, () => sandbox.start());
    if (this.#admission.place(sandbox.id) !== null && this.#admission.full())
      started.catch((error: unknown) => this.#host.log.error({ error }, `sandbox ${sandbox.id} did not start`));
    else await started;
    return this.#view(entry);
  }
}
