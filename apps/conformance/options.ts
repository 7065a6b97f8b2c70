// What `npm run conformance` is told on its command line. Pure.
import { parseArgs } from 'node:util';

export const USAGE = `npm run conformance -- --suites DIR [--only SUITE,…] [--filter TEXT] [--json FILE] [--peers DIR] [--host unix://SOCKET] [--enter PID] [--update]

  --suites DIR   checkouts of the suites, one folder each
  --only         docker-py, podman-apiv2
  --filter TEXT  only files of a suite whose name has TEXT in it
  --json FILE    every test with its outcome
  --peers DIR    Debian packages unpacked with "dpkg -x": their programs and libraries come first
  --host         another engine than ours: a dockerd's socket
  --enter PID    run the suites in the network namespace of this process
  --update       add what passes to the lists of tests that must pass
`;

export interface ConformanceOptions {
  readonly suites: string;
  readonly only: readonly string[];
  readonly filter: string;
  readonly json: string | null;
  readonly peers: string | null;
  /** Path of the socket of an engine that is not ours. */
  readonly socket: string | null;
  readonly enter: number | null;
  readonly update: boolean;
}

/** Throws Error with a sentence and the usage. */
export function conformanceOptions(argv: readonly string[], known: readonly string[]): ConformanceOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      suites: { type: 'string' },
      only: { type: 'string', default: known.join(',') },
      filter: { type: 'string', default: '' },
      json: { type: 'string' },
      peers: { type: 'string' },
      host: { type: 'string' },
      enter: { type: 'string' },
      update: { type: 'boolean', default: false },
    },
  });
  if (values.suites === undefined)
    throw new Error(`Cannot run the suites: say with --suites which folder their checkouts are in.\n${USAGE}`);
  const only = values.only.split(',');
  const unknown = only.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new Error(`Cannot run suite "${unknown}": known are ${known.join(', ')}.`);
  if (values.host !== undefined && !values.host.startsWith('unix://'))
    throw new Error(`Cannot test "${values.host}": only unix:// sockets.`);
  return {
    suites: values.suites,
    only,
    filter: values.filter,
    json: values.json ?? null,
    peers: values.peers ?? null,
    socket: values.host?.slice('unix://'.length) ?? null,
    enter: values.enter === undefined ? null : Number(values.enter),
    update: values.update,
  };
}
