// Execs of all containers: made, started, followed, looked at, forgotten. What runs goes on without this daemon, under its
// keeper; the next daemon finds it by the file beside the keeper's directory.
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kept, Kernel } from '../kernel/kernel.ts';
import { EngineError } from '../model/engine-error.ts';
import { type ExecConfig, type ExecState, NOT_STARTED_CODE } from '../model/exec-config.ts';
import type { OciProcess } from '../model/oci-spec.ts';
import { detachKeysOf } from './attach.ts';
import type { Container, ContainerFinder } from './container.ts';
import { exitCodeOf } from './exit-code.ts';
import { ProcessSession } from './session.ts';

export interface ExecHost {
  readonly containers: ContainerFinder;
  readonly kernel: Pick<Kernel, 'recover'>;
  /** What an exec of this container runs as. */
  readonly processOf: (container: Container, config: ExecConfig) => Promise<OciProcess>;
}

interface Exec {
  readonly id: string;
  readonly container: Container;
  readonly config: ExecConfig;
  state: 'created' | 'starting' | 'running' | 'ended';
  kept: Kept | null;
  pid: number;
  exitCode: number | null;
  /** When it was last looked for what can be forgotten, and this could be. */
  canRemove: boolean;
  /** Resolves when it runs, or never will. */
  readonly settled: Promise<void>;
  settle: () => void;
}

const PREFIX = 'exec-';
const RECORD = 'exec.json';
/** As often as Docker: an exec that ended can be looked at for twice as long at most. */
const FORGET_MS = 300_000;
/** So many that ended are known to the next daemon, too: thousands may end before they are forgotten, each with a file. */
const MOST_SAVED = 200;

export class Execs {
  readonly #host: ExecHost;
  readonly #execs = new Map<string, Exec>();
  readonly #timer: NodeJS.Timeout;
  /** Directories of those that ended, oldest first. */
  readonly #saved: string[] = [];

  constructor(host: ExecHost) {
    this.#host = host;
    this.#timer = setInterval(() => this.#forget(), FORGET_MS).unref();
  }

  /** Of one container: those that were not started yet and those that run. */
  idsOf(containerId: string): string[] {
    return [...this.#execs.values()]
      .filter(({ container, state }) => container.id === containerId && state !== 'ended')
      .map(({ id }) => id);
  }

  /** Returns the id. Throws conflict when the container does not run, invalid_argument for what can't be run at all. */
  create(idOrName: string, config: ExecConfig): string {
    const container = this.#host.containers.find(idOrName);
    mustRun(container);
    if (config.Cmd.length === 0) throw new EngineError('invalid_argument', 'No exec command specified');
    detachKeysOf(config.DetachKeys);
    const id = randomBytes(32).toString('hex');
    this.#add(container, id, config);
    this.#publish(container, id, `exec_create: ${config.Cmd.join(' ')}`);
    return id;
  }

  inspect(id: string): ExecState {
    const exec = this.#find(id);
    return {
      id,
      containerId: exec.container.id,
      config: exec.config,
      running: exec.state === 'running',
      exitCode: exec.exitCode,
      pid: exec.pid,
      canRemove: exec.canRemove,
    };
  }

  /** What must hold before a client's connection is taken for it. Throws not_found, conflict. */
  check(id: string): ExecConfig {
    const { container, config } = this.#find(id);
    mustRun(container);
    return config;
  }

  /** Starts it with nobody attached. Throws what the driver says. */
  async startDetached(id: string, size: ExecConfig['ConsoleSize']): Promise<void> {
    this.check(id);
    await this.#start(this.#startable(id), size, false);
  }

  /** Starts it and carries its streams; what keeps it from starting comes out of the session. */
  start(id: string, size: ExecConfig['ConsoleSize']): ProcessSession {
    const exec = this.#find(id);
    const { config } = exec;
    const session = new ProcessSession({
      terminal: config.Tty,
      stdin: config.AttachStdin,
      stdout: config.AttachStdout,
      stderr: config.AttachStderr,
      detachKeys: detachKeysOf(config.DetachKeys),
      closesStdin: true,
      onDetach: () => this.#publish(exec.container, id, 'exec_detach'),
    });
    const started = async () => this.#start(this.#startable(id), size, config.AttachStdin);
    started().then(
      (kept) => session.begin(kept),
      (error: unknown) => session.fail(error),
    );
    return session;
  }

  /** Throws conflict when it does not run. */
  async resize(id: string, cols: number, rows: number): Promise<void> {
    const exec = this.#find(id);
    mustRun(exec.container);
    if (exec.state === 'starting') await exec.settled;
    if (!exec.kept) throw new EngineError('conflict', `exec instance ${id} is not running`);
    await exec.kept.resize(cols, rows);
  }

  /** After a restart of the daemon: those that run, and those whose end nobody has looked at yet. */
  async recover(): Promise<void> {
    for (const container of this.#host.containers.all())
      for (const name of namesIn(container.runDirectory))
        if (name.startsWith(PREFIX)) await this.#recover(container, name.slice(PREFIX.length));
  }

  /** Lets go of what runs. */
  close(): void {
    clearInterval(this.#timer);
    for (const { kept } of this.#execs.values()) kept?.release();
  }

  #find(id: string): Exec {
    const exec = this.#execs.get(id);
    if (!exec) throw new EngineError('not_found', `No such exec instance: ${id}`);
    return exec;
  }

  #startable(id: string): Exec {
    const exec = this.#find(id);
    if (exec.state === 'ended') throw new EngineError('conflict', `Error: Exec command ${id} has already run`);
    if (exec.state !== 'created') throw new EngineError('conflict', `Error: Exec command ${id} is already running`);
    return exec;
  }

  #add(container: Container, id: string, config: ExecConfig): Exec {
    let settle: () => void = () => undefined;
    const settled = new Promise<void>((resolve) => (settle = resolve));
    const none = { kept: null, pid: 0, exitCode: null, canRemove: false };
    const exec: Exec = { id, container, config, state: 'created', ...none, settled, settle };
    this.#execs.set(id, exec);
    return exec;
  }

  async #start(exec: Exec, size: ExecConfig['ConsoleSize'], openStdin: boolean): Promise<Kept> {
    const { container } = exec;
    exec.state = 'starting';
    const directory = directoryOf(container, exec.id);
    try {
      const { running } = container;
      if (!running) throw notRunning(container);
      const asked = size ? { ...exec.config, ConsoleSize: size } : exec.config;
      const process = await this.#host.processOf(container, asked);
      mkdirSync(directory, { mode: 0o700 });
      save(directory, { config: exec.config });
      this.#publish(container, exec.id, `exec_start: ${exec.config.Cmd.join(' ')}`);
      const keeper = join(directory, 'keeper');
      const kept = await running.exec(process, { directory: keeper, openStdin, privileged: exec.config.Privileged });
      this.#began(exec, kept);
      return kept;
    } catch (error) {
      exec.state = 'ended';
      exec.exitCode = NOT_STARTED_CODE;
      remove(directory);
      exec.settle();
      throw error;
    }
  }

  #began(exec: Exec, kept: Kept): void {
    exec.kept = kept;
    exec.pid = kept.pid;
    exec.state = 'running';
    exec.settle();
    void kept.exit.then((exit) => this.#ended(exec, kept, exitCodeOf(exit)));
  }

  #ended(exec: Exec, kept: Kept, exitCode: number): void {
    exec.state = 'ended';
    exec.exitCode = exitCode;
    exec.kept = null;
    this.#publish(exec.container, exec.id, 'exec_die', { exitCode: String(exitCode) });
    // Who waits for the end is told first.
    setImmediate(() => {
      kept.dispose();
      const directory = directoryOf(exec.container, exec.id);
      // Gone with the container's own, when that ended it.
      if (namesIn(directory).length === 0) return;
      save(directory, { config: exec.config, exitCode, pid: exec.pid });
      this.#saved.push(directory);
      for (const old of this.#saved.splice(0, this.#saved.length - MOST_SAVED)) remove(old);
    });
  }

  async #recover(container: Container, id: string): Promise<void> {
    const directory = directoryOf(container, id);
    const known = load(directory);
    const kept = known && (await this.#host.kernel.recover(join(directory, 'keeper')));
    if (!known || (!kept && known.exitCode === undefined)) {
      remove(directory); // the daemon died while it made it
      return;
    }
    const exec = this.#add(container, id, known.config);
    if (kept) this.#began(exec, kept);
    else Object.assign(exec, { state: 'ended', exitCode: known.exitCode, pid: known.pid });
  }

  #forget(): void {
    for (const exec of this.#execs.values()) {
      const isLive = exec.state !== 'ended' && exec.container.running !== null;
      if (isLive || exec.state === 'starting' || exec.state === 'running') continue;
      if (!exec.canRemove) {
        exec.canRemove = true;
        continue;
      }
      this.#execs.delete(exec.id);
      remove(directoryOf(exec.container, exec.id));
    }
  }

  #publish(container: Container, execID: string, action: string, more: Readonly<Record<string, string>> = {}): void {
    container.publish(action, { ...more, execID });
  }
}

const directoryOf = (container: Container, id: string): string => join(container.runDirectory, `${PREFIX}${id}`);

const remove = (directory: string): void => rmSync(directory, { recursive: true, force: true });

const notRunning = ({ id }: Container) => new EngineError('conflict', `container ${id} is not running`);

function mustRun(container: Container): void {
  const { status } = container.record.state;
  if (status === 'restarting')
    throw new EngineError('conflict', `Container ${container.id} is restarting, wait until the container is running`);
  if (!container.running) throw notRunning(container);
  if (status === 'paused')
    throw new EngineError('conflict', `Container ${container.id} is paused, unpause the container before exec`);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

interface Saved {
  readonly config: ExecConfig;
  readonly exitCode?: number;
  readonly pid?: number;
}

/** On a tmpfs: it lives as long as what it tells of. */
function save(directory: string, saved: Saved): void {
  writeFileSync(join(directory, RECORD), JSON.stringify(saved));
}

/** null: it was not written to its end. */
function load(directory: string): Saved | null {
  try {
    return JSON.parse(readFileSync(join(directory, RECORD), 'utf8')) as Saved;
  } catch {
    return null;
  }
}
