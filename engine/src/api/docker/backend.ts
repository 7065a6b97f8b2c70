// What the Docker routes need of the engine; nothing more.
import type { LimitFacts } from '../../model/limit-facts.ts';

export interface SystemBackend {
  /** Facts of this daemon and its host that do not change while it runs. */
  facts(): SystemFacts;
  info(): Promise<SystemInfo>;
}

export interface SystemFacts {
  version: string;
  gitCommit: string;
  buildTime: string;
  /** "linux", as Go's GOOS. */
  os: string;
  /** "amd64" or "arm64", as Go's GOARCH. */
  arch: string;
  kernelVersion: string;
  nodeVersion: string;
}

export interface SystemInfo {
  id: string;
  name: string;
  rootDirectory: string;
  operatingSystem: string;
  osVersion: string;
  /** As `uname -m`: "x86_64". */
  machine: string;
  cpus: number;
  memoryBytes: number;
  cgroupVersion: '1' | '2';
  limits: LimitFacts;
  openDescriptors: number;
  warnings: string[];
  containers: { total: number; running: number; paused: number; stopped: number };
  images: number;
  /** Graph driver, and what it says of itself. */
  storage: { driver: string; status: readonly (readonly [string, string])[] };
  /** Names that --runtime takes, and the programs behind them. */
  runtimes: Readonly<Record<string, { path: string }>>;
  defaultRuntime: string;
  eventListeners: number;
}
