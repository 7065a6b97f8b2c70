// What is paid for at rest: the daemon with nothing to do, and each running container besides its own processes: the growth of the
// daemon, and the process that stands by it (our keeper, containerd's shim, conmon).
import { parentOf, pssMib, sumMib, treeOf } from '../process-memory.ts';
import { compare } from '../row.ts';
import type { ApiEngine } from '../peers/api-engine.ts';
import { type Bench, enginesOf, type Measurement } from './measurement.ts';

const CONTAINERS = 10;
const SETTLE_MS = 3_000;

const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));

async function perContainer({ client, daemonPid }: ApiEngine, image: string): Promise<number[]> {
  const ids: string[] = [];
  try {
    await settle();
    const before = sumMib(treeOf(daemonPid));
    for (let i = 0; i < CONTAINERS; i += 1) {
      const id = await client.create(image, ['sleep', '3600']);
      ids.push(id);
      await client.start(id);
    }
    await settle();
    const pids = await Promise.all(
      ids.map(
        async (id) => (await client.demand<{ State: { Pid: number } }>('GET', `/containers/${id}/json`)).State.Pid,
      ),
    );
    const keepers = pids.map((pid) => parentOf(pid) ?? 0);
    const below = treeOf(daemonPid).filter((pid) => !pids.includes(pid) && !keepers.includes(pid));
    const growth = Math.max(0, sumMib(below) - before) / CONTAINERS;
    return keepers.map((pid) => pssMib(pid) + growth);
  } finally {
    for (const id of ids) await client.remove(id);
  }
}

async function measure(bench: Bench) {
  const idle = new Map<string, number[]>();
  const each = new Map<string, number[]>();
  for (const engine of enginesOf(bench)) {
    await settle();
    idle.set(engine.name, [sumMib(treeOf(engine.daemonPid))]);
    each.set(engine.name, await perContainer(engine, bench.image));
  }
  const row = (id: string, what: string, taken: Map<string, number[]>, peerName: string, ratio?: number) =>
    compare(
      { id, what, unit: 'MiB', peerName, ...(ratio !== undefined && { target: { relation: '<=', ratio } as const }) },
      taken.get('ours') ?? [],
      taken.get(peerName) ?? [],
    );
  return [
    row('memory.idle', 'daemon and its helpers at rest (PSS)', idle, 'dockerd', 0.8),
    row('memory.container', 'per running container, besides its own processes (PSS)', each, 'dockerd', 0.5),
    row('memory.container', 'per running container, besides its own processes (PSS)', each, 'podman'),
  ];
}

export const memory: Measurement = {
  id: 'memory',
  what: 'memory of the daemon and per container',
  needs: ['dockerd', 'podman'],
  measure,
};
