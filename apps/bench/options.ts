// What `npm run bench` is told on its command line. Pure.
import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly only: readonly string[];
  readonly json: string | null;
  /** Debian packages unpacked with "dpkg -x": their programs come first. */
  readonly peers: string | null;
  readonly effort: number;
}

/** Throws Error with a sentence where it can't be read. */
export function benchOptions(argv: readonly string[], known: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      only: { type: 'string', default: known.join(',') },
      json: { type: 'string' },
      peers: { type: 'string' },
      effort: { type: 'string', default: '1' },
    },
  });
  const only = values.only.split(',');
  const unknown = only.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new Error(`Cannot measure "${unknown}": the rows are ${known.join(', ')}.`);
  const effort = Number(values.effort);
  if (!(effort > 0)) throw new Error(`Cannot use --effort "${values.effort}": a number above 0; 1 is the usual one.`);
  return { only, json: values.json ?? null, peers: values.peers ?? null, effort };
}
