// What every suite is: a folder of the user's, run against an engine's socket, telling of each test.
import type { TestImage } from '../../engine/src/testing/test-image.ts';
import type { TestResult } from './result.ts';

/** The engine under test, and what a suite's programs need to reach it. */
export interface Target {
  /** Path of its unix socket. */
  readonly socket: string;
  /** Environment of every program that is run: PATH and libraries of unpacked packages, DOCKER_HOST. */
  readonly env: NodeJS.ProcessEnv;
  /** `1.50`: what its version answer says. */
  readonly apiVersion: string;
  /** For files that are gone afterwards. */
  readonly scratch: string;
  /** Loads the suite's images again, after it removed some. */
  readonly load: () => Promise<void>;
  /** Put before each command: enters the namespaces of an engine that has its own. */
  readonly enter: readonly string[];
}

export interface Suite {
  readonly id: string;
  /** The folder below --suites, and how a user gets it. */
  readonly folder: string;
  readonly source: string;
  /** Images that must be there before it runs, with their tags. */
  readonly images: () => TestImage[];
  run(folder: string, target: Target, filter: string, tell: (result: TestResult) => void): Promise<void>;
}

/** Smaller of two API versions: a client's own newest, and what the engine speaks. */
export function olderVersion(one: string, other: string): string {
  const [a = [], b = []] = [one, other].map((version) => version.split('.').map(Number));
  return (a[0] ?? 0) - (b[0] ?? 0) || (a[1] ?? 0) - (b[1] ?? 0) < 0 ? one : other;
}
