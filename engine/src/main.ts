// The daemon: `engine ready unix://…` on standard output when it serves; everything else goes to the log on standard error.
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { type EngineOptions, startEngine } from './engine.ts';
import { instanceOf } from './instance.ts';
import { EngineError } from './model/engine-error.ts';
import { DEFAULT_RUNTIMES, parseRuntimes } from './runtime/drivers.ts';

/** An orderly end takes some 30 ms. */
const CLOSE_MS = 5000;

/** overlay2 is what Docker calls it. */
const STORAGE_DRIVERS = { overlay: 'overlay', overlay2: 'overlay', vfs: 'vfs' } as const;
const LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

const isStorageDriver = (name: string): name is keyof typeof STORAGE_DRIVERS => Object.hasOwn(STORAGE_DRIVERS, name);

interface Options extends Required<EngineOptions> {
  readonly level: string;
  readonly tearDown: boolean;
  readonly env: Record<string, string | undefined>;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      'data-root': { type: 'string' },
      host: { type: 'string', short: 'H' },
      'log-level': { type: 'string', default: 'info' },
      'storage-driver': { type: 'string', default: 'overlay' },
      'tear-down': { type: 'boolean', default: false },
      runtime: { type: 'string', multiple: true, default: [] },
      'exec-driver': { type: 'string', default: DEFAULT_RUNTIMES.defaultDriver },
    },
  });
  const level = values['log-level'];
  if (!LEVELS.includes(level))
    throw new EngineError('invalid_argument', `Cannot use --log-level "${level}": one of ${LEVELS.join(', ')}`);
  const driver = values['storage-driver'];
  if (!isStorageDriver(driver))
    throw new EngineError(
      'invalid_argument',
      `Cannot use --storage-driver "${driver}": one of ${Object.keys(STORAGE_DRIVERS).join(', ')}`,
    );
  const socket = values.host;
  if (socket !== undefined && !socket.startsWith('unix://'))
    throw new EngineError('invalid_argument', `Cannot listen on "${socket}": only unix:// sockets are served`);
  return {
    level,
    tearDown: values['tear-down'],
    runtimes: { runtimes: parseRuntimes(values.runtime), defaultDriver: values['exec-driver'] },
    storageDriver: STORAGE_DRIVERS[driver],
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
  const { level, tearDown, env, ...more } = options();
  const instance = instanceOf(env);
  const log = pino({ level, base: null }, pino.destination({ dest: 2, sync: false }));
  const engine = await startEngine(instance, log, more);
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
