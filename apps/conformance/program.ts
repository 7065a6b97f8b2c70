// Runs a suite's program to its end: output to a log, a hang guard, nothing left behind in its process group.
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';

export interface ProgramOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Standard output and error go here. */
  readonly log: string;
  /** What of it is still there then is killed. */
  readonly timeoutMs?: number;
}

export interface ProgramEnd {
  readonly code: number | null;
  readonly timedOut: boolean;
}

/** Resolves however the program ended; rejects when it can't be started. */
export function runProgram(argv: readonly string[], options: ProgramOptions): Promise<ProgramEnd> {
  const [command = '', ...args] = argv;
  const log = openSync(options.log, 'a');
  // A group of its own: a suite's script leaves helpers behind when it dies.
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const endGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // ESRCH: nothing of the group is left.
    }
  };
  let timedOut = false;
  const guard =
    options.timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          timedOut = true;
          endGroup();
        }, options.timeoutMs);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(guard);
      endGroup();
      resolve({ code, timedOut });
    });
  });
}
