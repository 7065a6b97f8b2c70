// A real engine daemon for tests: from this source tree, as root, with directories of its own. It shares only the
// learner's image, which the set-up built. It can be killed and started again; `end` leaves nothing on the host.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CreateTerminal, ExecResult, Sandbox, Terminal } from '../api/lab/schemas.ts';
import { launchPath } from '../kernel/launch-program.ts';
import { freshLaunch } from './launch.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const MAIN = ['--import', 'tsx', join(PROJECT, 'engine/src/main.ts'), '--log-level', 'warn'];
/** A hang guard: a daemon is ready after a second or two. */
const READY_MS = 60_000;

export interface Answer {
  status: number;
  // What a route answers is for the test to look at.
  body: unknown;
}

/** A terminal's stream as a test uses it. */
export interface Typed {
  readonly offset: number;
  readonly socket: Duplex;
  /** Everything that came so far. */
  text(): string;
  /** Waits until the text so far matches; rejects with the text when the stream ends before. */
  until(pattern: RegExp): Promise<RegExpExecArray>;
}

export interface TestDaemonOptions {
  /** Serves learners' sandboxes too: needs their image. Default true. */
  readonly learners?: boolean;
  /** Where its directories are made. Default: the system's temporary directory. */
  readonly parent?: string;
  /** Its DRYDOCK_RUN, which need not exist; removed at the end. Default: a folder beside its root. */
  readonly run?: string;
  /** What Node runs. Default: this source tree through tsx. */
  readonly main?: readonly string[];
  /** More of the daemon's own flags. */
  readonly flags?: readonly string[];
}

export class TestDaemon {
  readonly directory: string;
  readonly root: string;
  readonly engineSocket: string;
  readonly labSocket: string;
  readonly #run: string;
  readonly #command: readonly string[];
  #process: ChildProcess | null = null;

  private constructor({ learners = true, parent = tmpdir(), run, main = MAIN, flags = [] }: TestDaemonOptions) {
    const image = join(process.env['DRYDOCK_ROOT'] ?? '/var/lib/drydock', 'images/learner.json');
    if (learners && !existsSync(image))
      throw new Error(
        `Cannot start an engine for the tests: there is no learner's image at "${image}"; npm start builds it`,
      );
    freshLaunch();
    this.#command = [...main, ...flags];
    this.directory = mkdtempSync(join(parent, 'drydock-engine-'));
    // The learner's ids have to pass through it, as they do through /run/drydock.
    chmodSync(this.directory, 0o711);
    this.root = join(this.directory, 'root');
    mkdirSync(join(this.root, 'images'), { recursive: true });
    if (learners) copyFileSync(image, join(this.root, 'images/learner.json'));
    this.#run = run ?? join(this.directory, 'run');
    this.engineSocket = join(this.#run, 'engine.sock');
    this.labSocket = join(this.#run, 'lab.sock');
  }

  static async start(options: TestDaemonOptions = {}): Promise<TestDaemon> {
    const daemon = new TestDaemon(options);
    await daemon.start().catch(async (error: unknown) => {
      await daemon.end().catch(() => undefined);
      throw error;
    });
    return daemon;
  }

  get #env(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      DRYDOCK_ROOT: this.root,
      DRYDOCK_LAUNCH: launchPath(),
      DRYDOCK_RUN: this.#run,
      DRYDOCK_SOCKET: this.engineSocket,
    };
  }

  get log(): string {
    return readFileSync(join(this.directory, 'engine.log'), 'utf8');
  }

  get pid(): number {
    return this.#process?.pid ?? 0;
  }

  async start(): Promise<void> {
    const log = openSync(join(this.directory, 'engine.log'), 'a');
    const daemon = spawn(process.execPath, this.#command, {
      cwd: PROJECT,
      env: this.#env,
      stdio: ['ignore', 'pipe', log],
    });
    closeSync(log);
    this.#process = daemon;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      const failed = () => {
        clearTimeout(guard);
        reject(new Error(`The engine did not start: ${this.log.slice(-2000)}`));
      };
      const guard = setTimeout(failed, READY_MS);
      daemon.once('exit', failed);
      daemon.stdout?.on('data', (text: Buffer) => {
        said += text.toString();
        if (!said.includes('engine ready unix://')) return;
        clearTimeout(guard);
        daemon.off('exit', failed);
        resolve();
      });
    });
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const daemon = this.#process;
    this.#process = null;
    if (!daemon || daemon.exitCode !== null) return;
    daemon.kill(signal);
    await once(daemon, 'exit');
  }

  /** SIGKILL, as by the kernel's own hand, and a new daemon that finds what the old one left. */
  async killAndRestart(): Promise<void> {
    await this.kill('SIGKILL');
    await this.start();
  }

  /** Removes every container and sandbox, ends the daemon, takes back what it made on the host. */
  async end(): Promise<void> {
    if (this.#process) await this.removeContainers();
    if (this.#process)
      for (const { id } of (await this.call('GET', '/lab/sandboxes')).body as Sandbox[])
        await this.call('DELETE', `/lab/sandboxes/${id}`);
    await this.kill('SIGTERM');
    const down = spawnSync(process.execPath, [...this.#command, '--tear-down'], {
      cwd: PROJECT,
      env: this.#env,
      encoding: 'utf8',
      timeout: READY_MS,
    });
    if (down.status !== 0) throw new Error(`Cannot tear the test's engine down: ${down.stderr}`);
    for (const folder of [this.directory, this.#run]) rmSync(folder, { recursive: true, force: true });
  }

  async removeContainers(): Promise<void> {
    const { status, body } = await this.call('GET', '/containers/json?all=1', undefined, this.engineSocket);
    if (status === 200)
      for (const { Id } of body as { Id: string }[])
        await this.call('DELETE', `/containers/${Id}?force=1&v=1`, undefined, this.engineSocket);
  }

  call(method: string, path: string, body?: unknown, socketPath = this.labSocket): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const headers = text === undefined ? {} : { 'content-type': 'application/json' };
      const call = request({ socketPath, method, path, headers, agent: false }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('end', () => {
          const content = Buffer.concat(parts).toString();
          const isJson = answer.headers['content-type']?.includes('json');
          resolve({ status: answer.statusCode ?? 0, body: isJson ? JSON.parse(content) : content });
        });
      });
      call.on('error', reject);
      call.end(text);
    });
  }

  /** Like `call`, and throws the answer's sentence when it is an error. */
  async demand<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await this.call(method, path, body);
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as T;
  }

  sandbox(id: string, more: object = {}): Promise<Sandbox> {
    return this.demand('POST', '/lab/sandboxes', { id, ...more });
  }

  /** A shell script in the sandbox. */
  run(id: string, script: string, more: object = {}): Promise<ExecResult> {
    return this.demand('POST', `/lab/sandboxes/${id}/exec`, { argv: ['/bin/sh', '-c', script], ...more });
  }

  terminal(id: string, more: Partial<CreateTerminal> = {}): Promise<Terminal> {
    return this.demand('POST', `/lab/sandboxes/${id}/terminals`, more);
  }

  attach(id: string, terminal: string, from = 0): Promise<Typed> {
    return new Promise((resolve, reject) => {
      const call = request({
        socketPath: this.labSocket,
        path: `/lab/sandboxes/${id}/terminals/${terminal}/stream?from=${from}`,
        headers: { connection: 'Upgrade', upgrade: 'drydock-terminal' },
      });
      call.on('error', reject);
      call.on('response', (answer) => reject(new Error(`refused: ${answer.statusCode}`)));
      call.on('upgrade', (answer, socket, head) => {
        socket.on('error', () => socket.destroy());
        if (head.length > 0) socket.unshift(head);
        resolve(typed(Number(answer.headers['drydock-offset']), socket));
      });
      call.end();
    });
  }
}

function typed(offset: number, socket: Duplex): Typed {
  const parts: Buffer[] = [];
  let ended = false;
  const listeners = new Set<() => void>();
  const tell = () => listeners.forEach((listener) => listener());
  socket.on('data', (part: Buffer) => {
    parts.push(part);
    tell();
  });
  socket.on('close', () => {
    ended = true;
    tell();
  });
  const text = () => Buffer.concat(parts).toString();
  return {
    offset,
    socket,
    text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const match = pattern.exec(text());
          if (!match && !ended) return;
          listeners.delete(look);
          if (match) resolve(match);
          else reject(new Error(`The terminal ended before ${pattern}: ${text().slice(-500)}`));
        };
        listeners.add(look);
        look();
      }),
  };
}
