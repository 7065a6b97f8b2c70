// Programs of Debian packages that were unpacked, not installed: the environment that finds them and what they need.
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const LIBRARIES: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** `env` with the programs, libraries and Python modules of `folder` first. A null folder changes nothing. */
export function unpackedEnv(folder: string | null, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (folder === null) return env;
  const libraries = join(folder, 'usr/lib', LIBRARIES[process.arch] ?? process.arch);
  const first = (name: string, ...folders: string[]) =>
    [...folders, ...(env[name] === undefined || env[name] === '' ? [] : [env[name]])].join(delimiter);
  return {
    ...env,
    PATH: first('PATH', join(folder, 'usr/sbin'), join(folder, 'usr/bin')),
    LD_LIBRARY_PATH: first('LD_LIBRARY_PATH', libraries),
    PYTHONPATH: first('PYTHONPATH', join(folder, 'usr/lib/python3/dist-packages')),
    XTABLES_LIBDIR: join(libraries, 'xtables'),
  };
}

/** Where a program is, or null. */
export function programIn(env: NodeJS.ProcessEnv, name: string): string | null {
  const found = (env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return existsSync(path);
      } catch {
        return false; // not in this folder: the next one
      }
    });
  return found ?? null;
}
