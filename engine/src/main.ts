// The daemon: `engine ready unix://…` on standard output when it serves; everything else goes to the log on standard error.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { startEngine } from './engine.ts';
import { instanceOf } from './instance.ts';
import { EngineError } from './model/engine-error.ts';
import { DEFAULT_RUNTIMES, parseRuntimes, type RuntimeOptions } from './runtime/drivers.ts';

/** An orderly end takes some 30 ms. */
const CLOSE_MS = 5000;

const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

interface Options {
  readonly level: string;
  readonly tearDown: boolean;
  readonly env: Record<string, string | undefined>;
  readonly runtimes: RuntimeOptions;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      'data-root': { type: 'string' },
      host: { type: 'string', short: 'H' },
      'log-level': { type: 'string', default: 'info' },
      'tear-down': { type: 'boolean', default: false },
      runtime: { type: 'string', multiple: true, default: [] },
      'exec-driver': { type: 'string', default: DEFAULT_RUNTIMES.defaultDriver },
    },
  });
  const level = values['log-level'];
  if (!LEVELS.includes(level))
    throw new EngineError('invalid_argument', `Cannot use --log-level "${level}": one of ${LEVELS.join(', ')}`);
  const socket = values.host;
  if (socket !== undefined && !socket.startsWith('unix://'))
    throw new EngineError('invalid_argument', `Cannot listen on "${socket}": only unix:// sockets are served`);
  return {
    level,
    tearDown: values['tear-down'],
    runtimes: { runtimes: parseRuntimes(values.runtime), defaultDriver: values['exec-driver'] },
    env: {
      ...process.env,
      ...(values['data-root'] !== undefined && { DRYDOCK_ROOT: values['data-root'] }),
      ...(socket !== undefined && { DRYDOCK_SOCKET: socket.slice('unix://'.length) }),
    },
  };
}

function fail(error: unknown): never {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

try {
  if (process.getuid?.() !== 0)
    throw new EngineError(
      'permission_denied',
      'Cannot start the engine: it makes namespaces and mounts; run it as root',
    );
  const { level, tearDown, env, runtimes } = options();
  const instance = instanceOf(env);
  const log = pino({ level, base: null }, pino.destination({ dest: 2, sync: false }));
  const engine = await startEngine(instance, log, runtimes);
  if (tearDown) {
    await engine.tearDown();
    process.exit(0);
  }
  let ending = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.on(signal, () => {
      if (ending) return;
      ending = true;
      // Whatever holds up an orderly end, the daemon ends: what it holds survives SIGKILL, so this loses nothing. And by
      // SIGKILL, since exit() would wait for a thread that hangs in a system call.
      setTimeout(() => {
        log.error(`The engine did not close within ${CLOSE_MS / 1000} s: it ends at once. Sandboxes go on.`);
        process.kill(process.pid, 'SIGKILL');
      }, CLOSE_MS);
      engine.close().then(() => process.exit(0), fail);
    });
  process.stdout.write(`engine ready unix://${instance.engineSocket}\n`);
} catch (error) {
  fail(error);
}
