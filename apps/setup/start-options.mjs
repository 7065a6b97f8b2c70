// What may stand after `npm start --`. Pure.
import { parseArgs } from 'node:util';
import { SetupError } from './tool.mjs';

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost']);

export const USAGE = `npm start -- [options]
  --host H     address to listen on (default 127.0.0.1; only this machine's own)
  --port N     port to listen on (default 3000)
  --harden     set this host's kernel settings as a class of strangers needs them (npm run doctor lists them)
  --service    install and start systemd units instead of running in this terminal
  --stop       end what runs: every sandbox (files are kept), the lab and the engine
  --help       this text`;

/**
 * Throws SetupError with one sentence for what can't be meant.
 * @param {string[]} argv
 */
export function parseStartOptions(argv) {
  const values = readOptions(argv);
  const host = values.host ?? '127.0.0.1';
  if (!LOOPBACK.has(host)) {
    throw new SetupError(
      `Cannot listen on "${host}": the lab has no accounts and no TLS yet, so it serves only this machine. Leave --host out and reach it from elsewhere through a tunnel: ssh -L 3000:127.0.0.1:3000 HOST.`,
    );
  }
  const port = Number(values.port ?? '3000');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new SetupError(`Cannot listen on port "${values.port}": a port is a number from 1 to 65535.`);
  }
  const { help = false, harden = false, service = false, stop = false } = values;
  return { host, port, help, harden, service, stop };
}

/** @param {string[]} argv */
function readOptions(argv) {
  try {
    return parseArgs({
      args: argv,
      options: {
        host: { type: 'string' },
        port: { type: 'string' },
        harden: { type: 'boolean' },
        service: { type: 'boolean' },
        stop: { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}.\n${USAGE}`);
  }
}

/** @typedef {ReturnType<typeof parseStartOptions>} StartOptions */

/** The address a browser opens. @param {{ host: string, port: number }} options */
export function labUrl({ host, port }) {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
