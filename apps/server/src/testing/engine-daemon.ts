// A real engine for tests: the daemon from this source tree, as root, with directories of its own. It shares only the
// learner's image, which the set-up built.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PROJECT = join(import.meta.dirname, '../../../..');
const MAIN = ['--import', 'tsx', join(PROJECT, 'engine/src/main.ts')];
/** Hang guards: a daemon is ready after a second or two. */
const READY_TIMEOUT_MS = 60_000;
const TEAR_DOWN_TIMEOUT_MS = 60_000;

export interface EngineDaemon {
  labSocket: string;
  /** SIGKILL, as by the kernel's own hand, and a new daemon that finds what the old one left. */
  killAndRestart(): Promise<void>;
  /** Ends the daemon and takes back everything it made on the host. */
  end(): Promise<void>;
}

/** Throws, with what is missing, when no engine can be started here. */
export async function startEngineDaemon(): Promise<EngineDaemon> {
  const image = join(process.env['DRYDOCK_ROOT'] ?? '/var/lib/drydock', 'images/learner.json');
  for (const [path, what] of [
    [image, 'the learner’s image'],
    [join(PROJECT, 'build/launch'), 'the launch program'],
  ] as const)
    if (!existsSync(path))
      throw new Error(`Cannot start an engine for the tests: ${what} is not built ("${path}"); npm start builds it`);

  const folder = mkdtempSync(join(tmpdir(), 'drydock-test-engine-'));
  // The learner's ids have to pass through it, as they do through /run/drydock.
  chmodSync(folder, 0o711);
  mkdirSync(join(folder, 'root/images'), { recursive: true });
  copyFileSync(image, join(folder, 'root/images/learner.json'));
  const env = {
    ...process.env,
    DRYDOCK_ROOT: join(folder, 'root'),
    DRYDOCK_RUN: join(folder, 'run'),
    DRYDOCK_SOCKET: join(folder, 'run/engine.sock'),
  };

  const log = join(folder, 'engine.log');
  let daemon = spawnDaemon(env, log);
  const end = async (): Promise<void> => {
    await daemon.end('SIGTERM');
    const down = spawnSync(process.execPath, [...MAIN, '--tear-down', '--log-level', 'error'], {
      cwd: PROJECT,
      env,
      encoding: 'utf8',
      timeout: TEAR_DOWN_TIMEOUT_MS,
    });
    if (down.status !== 0) throw new Error(`Cannot tear the test's engine down: ${down.stderr}`);
    rmSync(folder, { recursive: true, force: true });
  };
  const readyOrEnd = async (): Promise<void> => {
    if (await daemon.ready) return;
    const reason = readFileSync(log, 'utf8').trim().slice(-2000);
    await end().catch(() => {});
    throw new Error(`Cannot start an engine for the tests: ${reason}`);
  };
  await readyOrEnd();
  return {
    labSocket: join(folder, 'run/lab.sock'),
    killAndRestart: async () => {
      await daemon.end('SIGKILL');
      daemon = spawnDaemon(env, log);
      await readyOrEnd();
    },
    end,
  };
}

interface Daemon {
  /** False when it ended, or said nothing for too long. */
  ready: Promise<boolean>;
  /** Resolves when it is gone. */
  end(signal: NodeJS.Signals): Promise<void>;
}

function spawnDaemon(env: NodeJS.ProcessEnv, log: string): Daemon {
  const logFd = openSync(log, 'a');
  const daemon = spawn(process.execPath, MAIN, { cwd: PROJECT, env, stdio: ['ignore', 'pipe', logFd] });
  closeSync(logFd);
  const exited = new Promise<void>((resolve) => daemon.once('exit', () => resolve()));
  const ready = new Promise<boolean>((resolve) => {
    let said = '';
    daemon.stdout?.on('data', (text: Buffer) => {
      said += text.toString();
      if (said.includes('engine ready ')) resolve(true);
    });
    const timer = setTimeout(() => resolve(false), READY_TIMEOUT_MS);
    daemon.once('exit', () => {
      clearTimeout(timer);
      resolve(false);
    });
  });
  return {
    ready,
    end: async (signal) => {
      daemon.kill(signal);
      await exited;
    },
  };
}
