// A whole container without a network, from create to remove, through our API, beside runtimes that have no daemon at all.
import { interleave, timed } from '../interleave.ts';
import { bareRuntimes } from '../peers/bare-runtime.ts';
import { type BenchRow, compare } from '../row.ts';
import type { Target } from '../statistics.ts';
import { type Bench, type Measurement, samplesOf } from './measurement.ts';

const TARGETS: Readonly<Record<string, Target>> = {
  runc: { relation: '<=', ratio: 0.5 },
  crun: { relation: '<', ratio: 1 },
};
const MODES = [
  { mode: 'hot', pauseMs: 0 },
  { mode: 'cold', pauseMs: 60 },
] as const;

async function measure(bench: Bench): Promise<BenchRow[]> {
  const { sides, absent } = bareRuntimes(bench.disk, bench.rootfs, bench.env);
  const ours = {
    name: 'ours',
    sample: () => timed(() => bench.ours.client.runToExit(bench.image, ['true'])),
  };
  const rows: BenchRow[] = [];
  for (const { mode, pauseMs } of MODES) {
    const taken = await interleave([ours, ...sides], { samples: samplesOf(bench, 60), pauseMs, warmUp: 3 });
    const mine = taken.get('ours') ?? [];
    const peers = [...sides.map(({ name }) => name), ...absent];
    for (const peerName of peers) {
      const target = TARGETS[peerName];
      const what = { id: `start.${mode}`, what: `run true to its end, no network, ${mode}`, unit: 'ms', peerName };
      rows.push(compare({ ...what, ...(target && { target }) }, mine, taken.get(peerName) ?? []));
    }
  }
  return rows;
}

export const start: Measurement = {
  id: 'start',
  what: 'create, start, wait, remove beside bare runtimes',
  needs: [],
  measure,
};
