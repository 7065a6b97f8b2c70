// For tests: skopeo and umoci, from the machine or from the packages that the set-up unpacked into build/clients.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

const CLIENTS = join(import.meta.dirname, '../../../build/clients');
const libraries = (): string[] => {
  const lib = join(CLIENTS, 'usr/lib');
  return existsSync(lib) ? readdirSync(lib).map((triplet) => join(lib, triplet)) : [];
};

/** Runs one of them in a directory; its output. Throws with what it said. */
export function imageTool(name: 'skopeo' | 'umoci', args: readonly string[], cwd: string): string {
  return execFileSync(name, args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      // Theirs behind the machine's own.
      PATH: `${process.env['PATH']}:${join(CLIENTS, 'usr/bin')}`,
      LD_LIBRARY_PATH: libraries().join(':'),
    },
  });
}
