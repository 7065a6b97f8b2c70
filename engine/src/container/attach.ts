// Attaches a client to a container: to what it writes from now on, to its next run if it does not run, to its log before.
import { EngineError } from '../model/engine-error.ts';
import { parseDetachKeys } from '../model/detach-keys.ts';
import { logPolicy } from '../model/log-config.ts';
import type { Container } from './container.ts';
import { LogFile } from './log-file.ts';
import { type OutputPiece, ProcessSession } from './session.ts';

export interface AttachAsked {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Also what was written before. */
  readonly logs: boolean;
  /** Also what will be written. */
  readonly stream: boolean;
  /** As the client names them; empty: the default. */
  readonly detachKeys: string;
}

/** Where a log is bounded the process waits for who is attached, but not for a client that has stopped reading for good. */
const PATIENCE = { patienceMs: 10_000 } as const;

/** Throws invalid_argument for keys that are none, conflict while the container is paused or between two runs. */
export function attach(
  container: Container,
  asked: AttachAsked,
  publish: (action: 'attach' | 'detach') => void,
): ProcessSession {
  const { config, hostConfig, state } = container.record;
  const detachKeys = detachKeysOf(asked.detachKeys);
  if (state.status === 'paused')
    throw new EngineError('conflict', `container ${container.name} is paused, unpause the container before attach`);
  if (state.status === 'restarting')
    throw new EngineError('conflict', `container ${container.name} is restarting, wait until the container is running`);
  const session = new ProcessSession({
    terminal: config.Tty,
    stdin: asked.stdin && asked.stream && config.OpenStdin,
    stdout: asked.stdout,
    stderr: asked.stderr,
    detachKeys,
    closesStdin: config.StdinOnce,
    onDetach: () => publish('detach'),
    ...(asked.logs &&
      logPolicy(hostConfig.LogConfig).driver !== 'none' && {
        replay: replay(container.logPath, logEnd(container), asked),
      }),
  });
  publish('attach');
  if (!asked.stream) {
    session.leave();
    return session;
  }
  if (container.running) {
    const { kept } = container.running;
    session.begin(kept, kept.written, PATIENCE);
    return session;
  }
  const stop = container.watch((news) => {
    if (news === 'started' && container.running) {
      // Now, not a turn later: a process that ends at once is disposed of at once.
      session.begin(container.running.kept, undefined, PATIENCE);
      stop();
    } else if (news === 'removed') {
      session.leave();
      stop();
    }
  });
  session.onLeave(stop);
  return session;
}

function logEnd(container: Container): number {
  if (container.running) return container.running.kept.written;
  const log = LogFile.open(container.logPath);
  log?.close();
  return log?.end ?? 0;
}

/** All that was written before. */
async function* replay(
  path: string,
  end: number,
  asked: Pick<AttachAsked, 'stdout' | 'stderr'>,
): AsyncGenerator<readonly OutputPiece[]> {
  const log = LogFile.open(path, end);
  if (!log) return;
  try {
    for await (const chunks of log.chunks(log.keptFrom))
      yield chunks.flatMap(({ stream, bytes }) => (stream !== 'begin' && asked[stream] ? [{ stream, bytes }] : []));
  } finally {
    log.close();
  }
}

/** Throws invalid_argument as Docker words it. */
export function detachKeysOf(text: string): Uint8Array {
  try {
    return parseDetachKeys(text);
  } catch (error) {
    throw new EngineError('invalid_argument', `Invalid detach keys (${text}) provided`, { cause: error });
  }
}
