// `exec true` in a running container: create the exec, start it attached, read its end, ask for its exit code.
import { interleave, timed } from '../interleave.ts';
import { compare } from '../row.ts';
import { enginesOf, type Measurement, samplesOf } from './measurement.ts';

export const exec: Measurement = {
  id: 'exec',
  what: 'exec of true',
  needs: ['dockerd', 'podman'],
  measure: async (bench) => {
    const engines = enginesOf(bench);
    const containers = new Map<string, string>();
    try {
      for (const { name, client } of engines) {
        const id = await client.create(bench.image, ['sleep', '3600']);
        containers.set(name, id);
        await client.start(id);
      }
      const sides = engines.map(({ name, client }) => ({
        name,
        sample: () => timed(() => client.exec(containers.get(name) ?? '', ['true'])),
      }));
      const taken = await interleave(sides, { samples: samplesOf(bench, 40), warmUp: 3 });
      const mine = taken.get('ours') ?? [];
      const what = { id: 'exec', what: 'exec of true through the API', unit: 'ms' };
      return [
        compare(
          { ...what, peerName: 'dockerd', target: { relation: '<=', ratio: 0.15 } },
          mine,
          taken.get('dockerd') ?? [],
        ),
        compare({ ...what, peerName: 'podman' }, mine, taken.get('podman') ?? []),
      ];
    } finally {
      for (const { name, client } of engines) {
        const id = containers.get(name);
        if (id !== undefined) await client.remove(id);
      }
    }
  },
};
