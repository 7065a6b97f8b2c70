// The lab server as a process: environment in, one line "lab ready ADDRESS" out, a graceful end on SIGTERM or SIGINT.
import { pino } from 'pino';
import { readConfig } from './config.ts';
import { startLab, type Lab } from './lab.ts';

const log = pino({ name: 'lab', level: process.env['LOG_LEVEL'] ?? 'warn' }, pino.destination(2));

/** Sockets are given this long to close by themselves; then the process ends all the same. */
const STOP_TIMEOUT_MS = 5000;

let lab: Lab | null = null;
let stopping = false;
function stop(signal: NodeJS.Signals): void {
  if (stopping) process.exit(130);
  stopping = true;
  log.info({ signal }, 'stopping');
  setTimeout(() => process.exit(1), STOP_TIMEOUT_MS).unref();
  void Promise.resolve(lab?.close()).finally(() => process.exit(0));
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);

try {
  lab = await startLab(readConfig(process.env), log);
  console.log(`lab ready ${lab.address}`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  log.debug({ error }, 'start failed');
  process.exit(1);
}
