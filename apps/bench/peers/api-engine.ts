// An engine with Docker's API that the benchmark started: ours, a dockerd, podman's service.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { ApiClient } from '../api-client.ts';

export interface ApiEngine {
  readonly name: string;
  readonly client: ApiClient;
  /** Its daemon, for what it costs at rest: the processes below count with it. */
  readonly daemonPid: number;
  /** Removes all that it made. */
  stop(): Promise<void>;
}

/** Hang guard: a daemon answers after a second or two. */
const READY_MS = 60_000;

/** A daemon in a mount namespace of its own, which takes its mounts with it. Resolves once it answers. */
export async function startDaemon(options: {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly socket: string;
  readonly log: string;
  /** A shell line run first in the mount namespace. */
  readonly before?: string;
}): Promise<{ client: ApiClient; daemon: ChildProcess }> {
  const log = openSync(options.log, 'a');
  const script = `${options.before ?? 'true'} && exec "$@"`;
  const daemon = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', ...options.argv], {
    env: options.env,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const client = new ApiClient(options.socket);
  for (const started = Date.now(); ;) {
    const answered = await client.call('GET', '/_ping').catch(() => null);
    if (answered?.status === 200) return { client, daemon };
    if (daemon.exitCode !== null || Date.now() - started > READY_MS) {
      await endDaemon(daemon);
      throw new Error(`${options.argv[0]} did not start: ${readFileSync(options.log, 'utf8').slice(-1000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function endDaemon(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const ended = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  await ended;
}

/** Containers of a benchmark that failed half-way. */
export async function removeContainers(client: ApiClient): Promise<void> {
  const all = await client.demand<{ Id: string }[]>('GET', '/containers/json?all=1');
  for (const { Id } of all) await client.remove(Id);
}
