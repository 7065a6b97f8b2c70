// Starts what the wanted rows need, measures them in turn, and takes everything away again.
import { readFileSync } from 'node:fs';
import { busyboxImage } from '../../engine/src/testing/test-image.ts';
import { makeDisk } from './disk.ts';
import { undoing } from './interrupted.ts';
import type { ApiEngine } from './peers/api-engine.ts';
import { startDockerd } from './peers/dockerd.ts';
import { startOurs } from './peers/ours.ts';
import { startPodman } from './peers/podman.ts';
import type { BenchRow } from './row.ts';
import { exec } from './rows/exec.ts';
import { forceRm } from './rows/force-rm.ts';
import { parallel, sequence } from './rows/many.ts';
import type { Bench, Measurement } from './rows/measurement.ts';
import { memory } from './rows/memory.ts';
import { start } from './rows/start.ts';

// Memory first: a daemon that has worked does not give back all it took.
export const MEASUREMENTS: readonly Measurement[] = [memory, start, exec, sequence, parallel, forceRm];

const PEERS = { dockerd: startDockerd, podman: startPodman };

export interface BenchRun {
  readonly only: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly effort: number;
  readonly say: (text: string) => void;
}

export async function bench({ only, env, effort, say }: BenchRun): Promise<BenchRow[]> {
  const wanted = MEASUREMENTS.filter(({ id }) => only.includes(id));
  const disk = makeDisk();
  const undo: (() => void | Promise<void>)[] = [() => disk.remove()];
  const takeAway = undoing(async () => {
    for (const step of undo.toReversed()) await step();
  });
  try {
    const image = busyboxImage({ tag: 'busybox:latest' }, disk.path);
    undo.push(() => image.remove());
    const tar = readFileSync(image.dockerTar);
    const started = async (engine: ApiEngine | null): Promise<ApiEngine | null> => {
      if (engine === null) return null;
      undo.push(() => engine.stop());
      await engine.client.load(tar);
      return engine;
    };
    const peer = async (name: keyof typeof PEERS): Promise<ApiEngine | null> => {
      if (!wanted.some(({ needs }) => needs.includes(name))) return null;
      const engine = await started(await PEERS[name](disk, env));
      if (engine === null) say(`${name} is not on this machine: rows are without it.`);
      return engine;
    };
    const ours = await started(await startOurs(disk));
    if (ours === null) throw new Error('Cannot measure: our engine did not start.');
    const given: Bench = {
      disk,
      env,
      ours,
      dockerd: await peer('dockerd'),
      podman: await peer('podman'),
      image: image.tag,
      rootfs: image.rootfs,
      effort,
    };
    const rows: BenchRow[] = [];
    for (const measurement of wanted) {
      say(`measuring: ${measurement.what}`);
      rows.push(...(await measurement.measure(given)));
    }
    return rows;
  } finally {
    await takeAway();
  }
}
