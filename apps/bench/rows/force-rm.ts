// Force removal of a running container: from the call to its answer, when it is gone.
import { interleave, timed } from '../interleave.ts';
import { compare } from '../row.ts';
import { enginesOf, type Measurement, samplesOf } from './measurement.ts';

export const forceRm: Measurement = {
  id: 'force-rm',
  what: 'force rm of a running container',
  needs: ['dockerd', 'podman'],
  measure: async (bench) => {
    const sides = enginesOf(bench).map(({ name, client }) => ({
      name,
      sample: async () => {
        const id = await client.create(bench.image, ['sleep', '3600']);
        await client.start(id);
        return await timed(() => client.remove(id));
      },
    }));
    const taken = await interleave(sides, { samples: samplesOf(bench, 20) });
    const mine = taken.get('ours') ?? [];
    const what = { id: 'force-rm', what: 'force rm of a running container, no network', unit: 'ms' };
    return [
      compare(
        { ...what, peerName: 'dockerd', target: { relation: '<=', ratio: 0.15 } },
        mine,
        taken.get('dockerd') ?? [],
      ),
      compare({ ...what, peerName: 'podman' }, mine, taken.get('podman') ?? []),
    ];
  },
};
