// The terminals of one sandbox: opened on its own devpts, kept by a keeper each, followed by any number of readers.
import { closeSync, existsSync, readFileSync } from 'node:fs';
import type { CreateTerminal, Terminal, TerminalStream } from '../api/lab/schemas.ts';
import type { Kept } from '../kernel/kernel.ts';
import { parseStatus } from '../kernel/proc/status.ts';
import { EngineError } from '../model/engine-error.ts';
import { terminalPlan } from './enter-plan.ts';
import { entryOf } from './entry.ts';
import { keeperDirectory, type SandboxHost } from './host.ts';
import type { TerminalRecord } from './record.ts';
import type { Sandbox } from './sandbox.ts';
import { TerminalDuplex } from './terminal-duplex.ts';

const SIGHUP = 1;
const SIGKILL = 9;
const HANG_UP_MS = 500;
/** More than anybody looks at; a learner's pids and ptys are bounded anyway. */
const MOST_TERMINALS = 16;

interface OpenTerminal {
  readonly record: TerminalRecord;
  readonly kept: Kept;
  exit: Terminal['exit'];
}

export class Terminals {
  readonly #host: SandboxHost;
  readonly #sandbox: Sandbox;
  readonly #open = new Map<string, OpenTerminal>();
  #last = 0;

  constructor(host: SandboxHost, sandbox: Sandbox) {
    this.#host = host;
    this.#sandbox = sandbox;
  }

  list(): Terminal[] {
    return [...this.#open.values()].map((terminal) => this.#view(terminal));
  }

  get(id: string): Terminal {
    return this.#view(this.#find(id));
  }

  /** Terminal whose shell has this host pid: for the observed tree. */
  ofShell(hostPid: number): string | null {
    for (const { record } of this.#open.values()) if (record.hostPid === hostPid) return record.id;
    return null;
  }

  async open({ cols, rows, cwd, argv, env }: CreateTerminal): Promise<Terminal> {
    const { group } = this.#sandbox.life();
    if (this.#open.size >= MOST_TERMINALS)
      throw new EngineError(
        'conflict',
        `Cannot open a terminal in "${this.#sandbox.id}": ${MOST_TERMINALS} are open; close one first`,
      );
    const id = this.#freshId();
    const entry = entryOf(this.#host, group, { argv, env, cwd });
    const init = this.#sandbox.initPidfd();
    const { kept, rooms } = await this.#host.kernel
      .launch(terminalPlan({ ...entry, cols, rows }), {
        directory: keeperDirectory(this.#host, this.#sandbox.id, id),
        descriptors: { init },
        cols,
        rows,
      })
      .finally(() => closeSync(init));
    const pts = rooms.get('pts') ?? new Uint8Array(4);
    const tty = `/dev/pts/${new DataView(pts.buffer, pts.byteOffset).getUint32(0, true)}`;
    const record = { id, tty, hostPid: kept.pid, pid: pidInside(kept.pid), createdAtMs: Date.now() };
    const terminal = this.#add(record, kept);
    this.#remember();
    return this.#view(terminal);
  }

  async resize(id: string, cols: number, rows: number): Promise<void> {
    const { kept } = this.#find(id);
    if (kept.alive) await kept.resize(cols, rows);
  }

  /** Hangs up as a closed window does; who ignores SIGHUP is killed after half a second. */
  async close(id: string): Promise<void> {
    const { kept } = this.#find(id);
    if (kept.alive) await kept.signal(SIGHUP);
    const timer = setTimeout(() => void (kept.alive && kept.signal(SIGKILL)), HANG_UP_MS);
    await kept.exit;
    clearTimeout(timer);
    kept.dispose();
    this.#open.delete(id);
    if (this.#sandbox.state === 'running') this.#remember();
  }

  attach(id: string, from: number): TerminalStream {
    const { kept } = this.#find(id);
    const { offset, stream } = kept.follow(from);
    return { offset, duplex: new TerminalDuplex(stream, (bytes) => kept.write(bytes), kept.exit) };
  }

  /** After a restart of the daemon. */
  async recover(): Promise<void> {
    for (const record of this.#sandbox.life().runtime.terminals) {
      // An id is never given twice while its sandbox lives: whoever followed the old one would take the new one for it.
      this.#last = Math.max(this.#last, Number(record.id.slice(1)));
      const directory = keeperDirectory(this.#host, this.#sandbox.id, record.id);
      const kept = existsSync(directory) ? await this.#host.kernel.recover(directory) : null;
      if (kept) this.#add(record, kept);
    }
  }

  /** The sandbox has ended, and its terminals with it. */
  forget(): void {
    this.#open.clear();
  }

  /** For a daemon that ends: the keepers go on. */
  release(): void {
    for (const { kept } of this.#open.values()) kept.release();
    this.#open.clear();
  }

  #add(record: TerminalRecord, kept: Kept): OpenTerminal {
    const terminal: OpenTerminal = { record, kept, exit: null };
    this.#open.set(record.id, terminal);
    void kept.exit.then((exit) => (terminal.exit = exit));
    return terminal;
  }

  #find(id: string): OpenTerminal {
    const terminal = this.#open.get(id);
    if (terminal) return terminal;
    throw new EngineError('not_found', `Cannot find terminal "${id}" of "${this.#sandbox.id}": it was closed`);
  }

  #freshId(): string {
    do this.#last += 1;
    while (this.#open.has(`t${this.#last}`));
    return `t${this.#last}`;
  }

  #remember(): void {
    this.#sandbox.rememberTerminals([...this.#open.values()].map(({ record }) => record));
  }

  #view({ record, kept, exit }: OpenTerminal): Terminal {
    return {
      id: record.id,
      sandbox: this.#sandbox.id,
      pid: kept.alive ? record.pid : null,
      tty: record.tty,
      ...kept.size,
      createdAtMs: record.createdAtMs,
      writtenBytes: kept.written,
      keptBytes: kept.written - kept.keptFrom,
      exit,
    };
  }
}

/** The pid one level in: what the sandbox calls the process. 0 when it has ended already. */
function pidInside(hostPid: number): number {
  try {
    return parseStatus(readFileSync(`/proc/${hostPid}/status`))?.nspid[1] ?? 0;
  } catch {
    return 0;
  }
}
