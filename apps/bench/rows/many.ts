// Many containers: 100 one after the other, 20 at once; each created, started, awaited, removed.
import { interleave, timed } from '../interleave.ts';
import { compare } from '../row.ts';
import type { Target } from '../statistics.ts';
import { type Bench, type Measurement, samplesOf } from './measurement.ts';

const SEQUENCE = 100;
const PARALLEL = 20;

async function beside(
  bench: Bench,
  what: { id: string; what: string; target: Target; samples: number },
  run: (once: () => Promise<void>) => Promise<unknown>,
) {
  const sides = [bench.ours, ...(bench.dockerd ? [bench.dockerd] : [])].map(({ name, client }) => ({
    name,
    sample: () => timed(() => run(() => client.runToExit(bench.image, ['true']))),
  }));
  const taken = await interleave(sides, { samples: samplesOf(bench, what.samples), batch: 1 });
  const mine = taken.get('ours') ?? [];
  const { id, target } = what;
  const row = { id, what: what.what, unit: 'ms' };
  return [compare({ ...row, peerName: 'dockerd', target }, mine, taken.get('dockerd') ?? [])];
}

export const sequence: Measurement = {
  id: 'sequence',
  what: `${SEQUENCE} containers one after the other`,
  needs: ['dockerd'],
  measure: (bench) =>
    beside(
      bench,
      {
        id: 'sequence',
        what: `${SEQUENCE} in sequence, no network`,
        target: { relation: '<=', ratio: 0.05 },
        samples: 3,
      },
      async (once) => {
        for (let i = 0; i < SEQUENCE; i += 1) await once();
      },
    ),
};

export const parallel: Measurement = {
  id: 'parallel',
  what: `${PARALLEL} containers at once`,
  needs: ['dockerd'],
  measure: (bench) =>
    beside(
      bench,
      {
        id: 'parallel',
        what: `${PARALLEL} in parallel, no network`,
        target: { relation: '<=', ratio: 0.1 },
        samples: 5,
      },
      (once) => Promise.all(Array.from({ length: PARALLEL }, once)),
    ),
};
