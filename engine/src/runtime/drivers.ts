// Which exec drivers a daemon has: its own, runc and crun where they are installed, and what --runtime names.
import { mkdirSync } from 'node:fs';
import type { Kernel } from '../kernel/kernel.ts';
import type { CgroupHost } from '../model/cgroup-host.ts';
import { EngineError } from '../model/engine-error.ts';
import type { ExecDriver } from './driver.ts';
import { NativeDriver } from './native.ts';
import { findRuntime, OciDriver } from './oci.ts';
import { isInitialUserNamespace } from './spec-host.ts';

export interface RuntimeOptions {
  /** --runtime name=path: OCI runtimes by name. */
  readonly runtimes: Readonly<Record<string, string>>;
  /** --exec-driver: the name of what a container gets that asks for none. */
  readonly defaultDriver: string;
}

export const DEFAULT_RUNTIMES: RuntimeOptions = { runtimes: {}, defaultDriver: 'native' };

/** `name=path` of the command line. Throws invalid_argument. */
export function parseRuntimes(words: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, name, path] = /^([a-zA-Z0-9_.-]+)=(.+)$/.exec(word) ?? [];
      if (name === undefined || path === undefined || name === 'native')
        throw new EngineError(
          'invalid_argument',
          `Cannot use --runtime "${word}": write name=path, with a name other than native`,
        );
      return [name, path];
    }),
  );
}

/** `directory`: of this daemon's, on a tmpfs. Throws invalid_argument for a runtime or a default that is not there. */
export function execDrivers(
  { kernel, cgroups, directory }: { readonly kernel: Kernel; readonly cgroups: CgroupHost; readonly directory: string },
  { runtimes, defaultDriver }: RuntimeOptions,
): ReadonlyMap<string, ExecDriver> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const native = new NativeDriver({ kernel, host: { cgroups, mayMakeNodes: isInitialUserNamespace() } });
  const drivers = new Map<string, ExecDriver>([[native.name, native]]);
  for (const [name, path] of Object.entries({ runc: 'runc', crun: 'crun', ...runtimes })) {
    const program = findRuntime(path);
    if (program !== null) drivers.set(name, new OciDriver({ name, program, kernel, cgroups, directory }));
    else if (runtimes[name] !== undefined)
      throw new EngineError('invalid_argument', `Cannot use runtime "${name}": there is no program "${path}"`);
  }
  if (!drivers.has(defaultDriver))
    throw new EngineError(
      'invalid_argument',
      `Cannot use --exec-driver "${defaultDriver}": it is one of ${[...drivers.keys()].join(', ')}`,
    );
  return drivers;
}
