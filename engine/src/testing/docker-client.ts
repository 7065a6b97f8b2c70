// Docker's own command-line client against an engine, for tests: the one on the machine, or Debian's, which the set-up unpacks.
// DRYDOCK_TEST_ENGINE=unix://SOCKET runs the same tests against another engine: what they ask is what a dockerd does.
import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { TestDaemon } from './daemon.ts';
import { busyboxImage, type TestImageOptions } from './test-image.ts';

const UNPACKED = join(import.meta.dirname, '../../../build/clients');
/** Hang guard for one command. */
const COMMAND_MS = 40_000;

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Command {
  /** Written to its standard input, which ends after it. Default: nothing, at once. */
  readonly input?: string;
  /** Called with all output so far; true ends the command with SIGINT, as Ctrl-C does. */
  readonly until?: (stdout: string) => boolean;
  readonly env?: Readonly<Record<string, string>>;
}

function findProgram(name: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), join(UNPACKED, 'usr/bin')];
  for (const folder of folders)
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch {
      // Not in this folder: the next one.
    }
  throw new Error(`Cannot find the program "${name}" that the test drives: npm test unpacks it into build/clients`);
}

/** Runs a program to its end; never rejects because of how it ended. */
export function runToEnd(program: string, args: readonly string[], command: Command = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, ...command.env }, timeout: COMMAND_MS });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      if (command.until?.(stdout) === true) child.kill('SIGINT');
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGINT' ? 130 : -1), stdout, stderr }));
    // EPIPE: the command ended without reading.
    child.stdin.on('error', () => undefined);
    child.stdin.end(command.input ?? '');
  });
}

/** An engine with the busybox image in it, and the docker CLI that talks to it. */
export class DockerClient {
  readonly socket: string;
  readonly daemon: TestDaemon | null;
  /** The CLI's configuration, and a place for a test's files. */
  readonly scratch: string;
  readonly #program = findProgram('docker');

  private constructor(socket: string, daemon: TestDaemon | null) {
    this.socket = socket;
    this.daemon = daemon;
    this.scratch = mkdtempSync(join(tmpdir(), 'drydock-client-'));
  }

  static async start(): Promise<DockerClient> {
    const given = process.env['DRYDOCK_TEST_ENGINE'];
    const daemon = given === undefined ? await TestDaemon.start({ learners: false }) : null;
    const client = new DockerClient(daemon?.engineSocket ?? given?.slice('unix://'.length) ?? '', daemon);
    await client.load({});
    return client;
  }

  get env(): Record<string, string> {
    return { DOCKER_HOST: `unix://${this.socket}`, DOCKER_CONFIG: this.scratch };
  }

  /** `docker ARG…`. */
  run(args: readonly string[], command: Command = {}): Promise<Ended> {
    return runToEnd(this.#program, args, { ...command, env: { ...this.env, ...command.env } });
  }

  /** Like `run`; its trimmed output. Throws what it said when it failed. */
  async ok(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    if (code !== 0) throw new Error(`docker ${args.join(' ')}: exit ${code}: ${stderr}${stdout}`);
    return stdout.trim();
  }

  /** What `docker inspect` says of it. */
  async inspect<T>(name: string, format = '{{json .}}'): Promise<T> {
    return JSON.parse(await this.ok('inspect', '--format', format, name)) as T;
  }

  /** Makes a busybox image and loads it; says its id. */
  async load(options: TestImageOptions): Promise<string> {
    const image = busyboxImage(options, this.scratch);
    await new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': 'application/x-tar' };
      const path = '/images/load?quiet=1';
      const call = request({ socketPath: this.socket, method: 'POST', path, headers, agent: false }, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (part: string) => (text += part));
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`load: ${answer.statusCode} ${text}`));
        });
      });
      call.on('error', reject);
      createReadStream(image.dockerTar).pipe(call);
    });
    return image.id;
  }

  async end(): Promise<void> {
    if (this.daemon === null) {
      const all = (await this.ok('ps', '-aq')).split('\n').filter(Boolean);
      if (all.length > 0) await this.ok('rm', '-f', '-v', ...all);
    }
    await this.daemon?.end();
    rmSync(this.scratch, { recursive: true, force: true });
  }
}

/** Python with Debian's python3-docker. */
export function runPython(script: string, env: Readonly<Record<string, string>>): Promise<Ended> {
  const modules = join(UNPACKED, 'usr/lib/python3/dist-packages');
  return runToEnd('/usr/bin/python3', ['-c', script], { env: { ...env, PYTHONPATH: modules } });
}
