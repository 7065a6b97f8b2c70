// What a row of the benchmark is given and gives.
import type { Disk } from '../disk.ts';
import type { ApiEngine } from '../peers/api-engine.ts';
import type { BenchRow } from '../row.ts';

export interface Bench {
  readonly disk: Disk;
  readonly env: NodeJS.ProcessEnv;
  readonly ours: ApiEngine;
  readonly dockerd: ApiEngine | null;
  readonly podman: ApiEngine | null;
  /** The image every engine has, and the same files as a directory. */
  readonly image: string;
  readonly rootfs: string;
  /** A share of the usual number of samples: 1, or less to try the harness. */
  readonly effort: number;
}

export interface Measurement {
  readonly id: string;
  readonly what: string;
  /** Engines besides ours that it needs running. */
  readonly needs: readonly ('dockerd' | 'podman')[];
  measure(bench: Bench): Promise<BenchRow[]>;
}

export const samplesOf = (bench: Bench, usual: number): number => Math.max(3, Math.round(usual * bench.effort));

/** Those of ours, dockerd and podman that run. */
export const enginesOf = ({ ours, dockerd, podman }: Bench): ApiEngine[] =>
  [ours, dockerd, podman].filter((engine) => engine !== null);
