// For tests without root: the engine's real lab routes on a real unix socket, over a backend whose kernel is scripted.
// What it says and what is said to it can be read and written; it can die and come back like the daemon does.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { pino } from 'pino';
import { labApp } from '@drydock/engine/api/http.ts';
import type * as lab from '@drydock/engine/api/lab/schemas.ts';
import { applyPatch } from '@drydock/engine/model/apply-patch.ts';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import type { Observation, ObservedProcess, Patch, Snapshot } from '@drydock/engine/model/observed.ts';

interface ScriptedTerminal extends lab.Terminal {
  bytes: Buffer;
  typed: string;
  followers: Set<{ at: number; duplex: Duplex; wants: boolean }>;
}

const NAMESPACES = { pid: 1, mnt: 2, net: 3, uts: 4, ipc: 5, user: 6, cgroup: 7, time: 8 };

/** A process of the sandbox; what a test is about is overridden. */
export function scriptedProcess(pid: number, over: Partial<ObservedProcess> = {}): ObservedProcess {
  return {
    key: `${pid + 1000}:${pid}`,
    hostPid: pid + 1000,
    pids: [pid],
    parentKey: null,
    comm: 'bash',
    argv: ['bash'],
    state: 'S',
    startedAtMs: 1_700_000_000_000 + pid,
    uidInside: 0,
    uidOutside: 0,
    namespaces: NAMESPACES,
    pidForChildren: NAMESPACES.pid,
    timeForChildren: NAMESPACES.time,
    cgroup: '/',
    terminal: null,
    controllingTty: null,
    rootInode: null,
    mounts: null,
    ...over,
  };
}

export class ScriptedEngine {
  readonly socketPath: string;
  readonly sandboxes = new Map<string, lab.Sandbox>();
  readonly terminalsOf = new Map<string, ScriptedTerminal[]>();
  readonly execs: lab.Exec[] = [];
  readonly files = new Map<string, string>();
  /** Answers of the next starts: a full machine says "starting" with a place. */
  queue: number[] = [];
  execCode = 0;
  /** A program that takes its time. */
  execEnd: Promise<void> = Promise.resolve();
  state: Snapshot = this.#born();
  readonly #watchers = new Set<(observation: Observation | null) => void>();
  #app: ReturnType<typeof labApp> | null = null;
  readonly #connections = new Set<Socket>();
  #terminalCount = 0;
  #lives = 0;

  constructor(socketPath: string) {
    this.socketPath = socketPath;
  }

  async listen(): Promise<void> {
    this.#app = labApp(pino({ level: 'silent' }), {
      jobs: { async *listen() {} },
      ping: () => ({ version: '0.1.0', kernel: '6.18', cgroup: 'hybrid' }),
      lab: this.#backend(),
    });
    this.#app.server.on('connection', (socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
    await this.#app.listen({ path: this.socketPath });
  }

  /** As after SIGKILL: every connection breaks, sandboxes and terminals live on. */
  async die(): Promise<void> {
    for (const socket of this.#connections) socket.destroy();
    for (const wake of this.#watchers) wake(null);
    this.#watchers.clear();
    await this.#app?.close();
    this.#app = null;
  }

  /** The kernel changes: everyone who observes gets the patch. */
  patch(change: Partial<Omit<Patch, 'kind' | 'seq'>>): void {
    const patch: Patch = {
      kind: 'patch',
      seq: this.state.seq + 1,
      atMs: Date.now(),
      upsert: [],
      exits: [],
      gone: [],
      events: [],
      ...change,
    };
    this.state = applyPatch(this.state, patch);
    for (const wake of this.#watchers) wake(patch);
  }

  /** A shell writes to its terminal. */
  output(id: string, data: string | Buffer): void {
    const terminal = this.terminal(id);
    terminal.bytes = Buffer.concat([terminal.bytes, Buffer.from(data)]);
    terminal.writtenBytes = terminal.bytes.length;
    for (const follower of terminal.followers) feed(terminal, follower);
  }

  endShell(id: string, code: number): void {
    const terminal = this.terminal(id);
    terminal.exit = { code, signal: null };
    for (const follower of terminal.followers) feed(terminal, follower);
  }

  terminal(id: string): ScriptedTerminal {
    for (const terminals of this.terminalsOf.values())
      for (const terminal of terminals) if (terminal.id === id) return terminal;
    throw new EngineError('not_found', `Cannot find terminal "${id}": there is none`);
  }

  #born(): Snapshot {
    return {
      kind: 'snapshot',
      seq: 0,
      atMs: Date.now(),
      sandbox: 'solo',
      namespaces: NAMESPACES,
      kernel: { release: '6.18', cgroup: 'hybrid' },
      hostname: 'dock',
      processes: [scriptedProcess(1, { comm: 'init', argv: ['init'] })],
      exits: [],
    };
  }

  #start(id: string): lab.Sandbox {
    this.#lives += 1;
    this.terminalsOf.set(id, []);
    this.state = { ...this.#born(), processes: [scriptedProcess(1, { comm: 'init', key: `1001:${this.#lives}` })] };
    const place = this.queue.shift();
    const known = this.sandboxes.get(id);
    const sandbox: lab.Sandbox = {
      id,
      state: place === undefined ? 'running' : 'starting',
      hostname: 'dock',
      limits: known?.limits ?? { memoryBytes: 2 ** 29, cpus: 1, diskBytes: 2 ** 31, pids: 512 },
      createdAtMs: known?.createdAtMs ?? Date.now(),
      startedAtMs: Date.now() + this.#lives,
      cgroup: 'hybrid',
      queuePlace: place ?? null,
      message: null,
    };
    this.sandboxes.set(id, sandbox);
    return sandbox;
  }

  #find(id: string): lab.Sandbox {
    const sandbox = this.sandboxes.get(id);
    if (!sandbox) throw new EngineError('not_found', `Cannot find sandbox "${id}": there is none`);
    if (sandbox.state === 'starting') {
      const place = this.queue.shift();
      sandbox.queuePlace = place ?? null;
      if (place === undefined) sandbox.state = 'running';
    }
    return sandbox;
  }

  #become(id: string, state: lab.SandboxState): lab.Sandbox {
    const sandbox = this.#find(id);
    sandbox.state = state;
    if (state === 'stopped') this.terminalsOf.set(id, []);
    return sandbox;
  }

  #attach(id: string, terminalId: string, from: number): lab.TerminalStream {
    this.#find(id);
    const terminal = this.terminal(terminalId);
    const offset = Math.min(Math.max(from, terminal.bytes.length - terminal.keptBytes), terminal.bytes.length);
    const follower = {
      at: offset,
      wants: false,
      duplex: new Duplex({
        allowHalfOpen: false,
        read: () => {
          follower.wants = true;
          feed(terminal, follower);
        },
        write: (chunk: Buffer, _encoding, done) => {
          terminal.typed += chunk.toString();
          done();
        },
        destroy: (error, done) => {
          terminal.followers.delete(follower);
          done(error);
        },
      }),
    };
    terminal.followers.add(follower);
    return { offset, duplex: follower.duplex };
  }

  async *#observe(signal: AbortSignal): AsyncGenerator<Observation> {
    const waiting: (Observation | null)[] = [structuredClone(this.state)];
    let wakeUp = (): void => undefined;
    const wake = (observation: Observation | null): void => {
      waiting.push(observation);
      wakeUp();
    };
    this.#watchers.add(wake);
    signal.addEventListener('abort', () => wake(null));
    try {
      for (;;) {
        while (waiting.length > 0) {
          const next = waiting.shift();
          if (!next) return;
          yield next;
        }
        await new Promise<void>((resolve) => (wakeUp = resolve));
      }
    } finally {
      this.#watchers.delete(wake);
    }
  }

  #backend(): lab.LabBackend {
    return {
      list: async () => [...this.sandboxes.values()],
      create: async ({ id }) => (this.sandboxes.get(id)?.state === 'running' ? this.#find(id) : this.#start(id)),
      get: async (id) => this.#find(id),
      start: async (id) => this.#start(id),
      stop: async (id) => this.#become(id, 'stopped'),
      freeze: async (id) => this.#become(id, 'frozen'),
      thaw: async (id) => this.#become(id, 'running'),
      reset: async (id) => this.#start(this.#find(id).id),
      remove: async (id) => void this.sandboxes.delete(id),
      stats: async (id) => ({
        ...(this.#find(id), {}),
        cpuUsageUs: 0,
        memoryBytes: 12 * 2 ** 20,
        memoryLimitBytes: 2 ** 29,
        oomKills: 0,
        pids: this.state.processes.length,
        pidsLimit: 512,
        diskBytes: 0,
        diskLimitBytes: 2 ** 31,
        atMs: Date.now(),
      }),
      terminals: async (id) => (this.#find(id), (this.terminalsOf.get(id) ?? []).map(plainTerminal)),
      openTerminal: async (id, { cols, rows }) => {
        this.#find(id);
        this.#terminalCount += 1;
        const number = this.#terminalCount;
        const terminal: ScriptedTerminal = {
          id: `t${number}`,
          sandbox: id,
          pid: 100 + number,
          tty: `/dev/pts/${number}`,
          cols,
          rows,
          createdAtMs: Date.now() + number,
          writtenBytes: 0,
          keptBytes: 2 ** 20,
          exit: null,
          bytes: Buffer.alloc(0),
          typed: '',
          followers: new Set(),
        };
        this.terminalsOf.get(id)?.push(terminal);
        this.patch({ upsert: [scriptedProcess(100 + number, { terminal: terminal.id })] });
        return plainTerminal(terminal);
      },
      terminal: async (_id, terminal) => plainTerminal(this.terminal(terminal)),
      resizeTerminal: async (_id, terminal, size) => void Object.assign(this.terminal(terminal), size),
      closeTerminal: async (id, terminal) => {
        const { followers } = this.terminal(terminal);
        const left = (this.terminalsOf.get(id) ?? []).filter((each) => each.id !== terminal);
        this.terminalsOf.set(id, left);
        for (const { duplex } of followers) duplex.destroy();
      },
      attachTerminal: async (id, terminal, from) => this.#attach(id, terminal, from),
      exec: async (_id, request) => {
        this.execs.push(request);
        await this.execEnd;
        return {
          code: this.execCode,
          signal: null,
          stdout: '',
          stderr: 'it said why\n',
          truncated: false,
          timedOut: false,
        };
      },
      listDirectory: async () =>
        [...this.files].map(([name, text]) => ({ name, type: 'file', sizeBytes: text.length })),
      readFile: async (_id, path) => fileOf(path, this.files.get(path)),
      writeFile: async (_id, { path, text, version }) => {
        const now = this.files.get(path);
        if (now !== undefined && versionOf(now) !== version)
          throw new EngineError('conflict', `Cannot save "${path}": it changed since it was opened`);
        this.files.set(path, text);
        return fileOf(path, text);
      },
      observe: (_id, _watch, signal) => this.#observe(signal),
    };
  }
}

function feed(terminal: ScriptedTerminal, follower: { at: number; duplex: Duplex; wants: boolean }): void {
  while (follower.wants && follower.at < terminal.bytes.length) {
    const chunk = terminal.bytes.subarray(follower.at, follower.at + 65_536);
    follower.at += chunk.length;
    follower.wants = follower.duplex.push(chunk);
  }
  if (terminal.exit && follower.wants) follower.duplex.push(null);
}

function plainTerminal({
  bytes: _bytes,
  typed: _typed,
  followers: _followers,
  ...terminal
}: ScriptedTerminal): lab.Terminal {
  return terminal;
}

const versionOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function fileOf(path: string, text: string | undefined): lab.SandboxFile {
  if (text === undefined) throw new EngineError('not_found', `Cannot read "${path}": there is no such file`);
  return { path, text, version: versionOf(text) };
}
