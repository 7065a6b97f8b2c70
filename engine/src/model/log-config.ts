// What `--log-driver` and `--log-opt` ask for: checked in Docker's words, and as numbers. Pure.
import { EngineError } from './engine-error.ts';

export interface LogPolicy {
  /** As inspect tells it. */
  readonly driver: 'json-file' | 'local' | 'none';
  /** How much of the output is kept; 0: all of it. */
  readonly keepBytes: number;
  /** Names of labels and environment variables that `logs --details` shows. */
  readonly labels: readonly string[];
  readonly env: readonly string[];
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40, p: 2 ** 50 };
/** With `none` nothing can be read again; what a slow attach has yet to read is kept. */
const UNREAD_BYTES = 2 ** 20;
/** What Docker's local driver keeps without options: five files of 20 MB. */
const LOCAL_KEEP_BYTES = 5 * 20 * 10 ** 6;

const OPTIONS: Readonly<Record<LogPolicy['driver'], readonly string[]>> = {
  'json-file': ['max-size', 'max-file', 'compress', 'labels', 'labels-regex', 'env', 'env-regex', 'tag'],
  local: ['max-size', 'max-file', 'compress'],
  none: [],
};
/** Options every driver takes: how the output gets to it. */
const COMMON = ['mode', 'max-buffer-size'];

const refuse = (message: string): never => {
  throw new EngineError('invalid_argument', message);
};

function size(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?([kmgtp]?)(?:i?b)?$/i.exec(text);
  return match ? Math.floor(Number(match[1]) * (UNITS[(match[2] ?? '').toLowerCase()] ?? 1)) : NaN;
}

/** The driver and options of a container; `Type` "" is json-file. Throws invalid_argument as Docker words it. */
export function logPolicy(config: {
  readonly Type: string;
  readonly Config: Readonly<Record<string, string>>;
}): LogPolicy {
  const driver = (config.Type || 'json-file') as LogPolicy['driver'];
  const known = OPTIONS[driver] as readonly string[] | undefined;
  if (!known) return refuse(`logger: no log driver named '${driver}' is registered`);
  const options = config.Config;
  for (const name of Object.keys(options))
    if (driver !== 'none' && !known.includes(name) && !COMMON.includes(name))
      refuse(`unknown log opt '${name}' for ${driver} log driver`);
  if (driver === 'none') return { driver, keepBytes: UNREAD_BYTES, labels: [], env: [] };

  const maxSize = options['max-size'];
  const maxFile = options['max-file'];
  const bytes = maxSize === undefined ? undefined : size(maxSize);
  if (bytes !== undefined && !(bytes > 0)) refuse(`invalid value for max-size: ${maxSize}`);
  const files = maxFile === undefined ? undefined : Number(maxFile);
  if (files !== undefined && !(Number.isInteger(files) && files >= 1))
    refuse(`invalid value for max-file: ${maxFile}: max-file cannot be less than 1`);
  const list = (name: string) => (options[name] ?? '').split(',').filter((one) => one !== '');
  const unbounded = driver === 'local' ? LOCAL_KEEP_BYTES : 0;
  const perFile = bytes ?? (driver === 'local' ? 20 * 10 ** 6 : 0);
  const keepBytes =
    bytes === undefined && files === undefined ? unbounded : perFile * (files ?? (driver === 'local' ? 5 : 1));
  return { driver, keepBytes, labels: list('labels'), env: list('env') };
}
