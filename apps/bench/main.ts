// `npm run bench`: our engine beside its peers, on this machine, in one run. The table goes to standard output, samples to --json.
import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { unpackedEnv } from '../conformance/unpacked.ts';
import { bench, MEASUREMENTS } from './bench.ts';
import { benchOptions } from './options.ts';
import { benchTable } from './row.ts';

try {
  const options = benchOptions(
    process.argv.slice(2),
    MEASUREMENTS.map(({ id }) => id),
  );
  const rows = await bench({
    only: options.only,
    effort: options.effort,
    env: unpackedEnv(options.peers === null ? null : resolve(options.peers), process.env),
    say: (text) => console.error(text),
  });
  console.log(benchTable(rows));
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(rows, null, 1)}\n`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
