// For tests: every touch of the kernel and of the disk becomes a point at which the process can be made to die, as by a
// crash: before the touch, with SIGKILL. Import it before anything else: what is bound later is counted.
import koffi from 'koffi';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** What changes nothing is no point: dying there is dying at the next one. */
const READING =
  /^(waitpid|poll|epoll_\w+|eventfd|fstatat|fstatfs|statx|readlinkat|\w*getxattr|\w*listxattr|getdents64|flock|fcntl|lseek|open_by_handle_at|name_to_handle_at)$/;
const CHANGING = [
  'chmodSync',
  'chownSync',
  'copyFileSync',
  'ftruncateSync',
  'fsyncSync',
  'linkSync',
  'mkdirSync',
  'mkdtempSync',
  'openSync',
  'renameSync',
  'rmSync',
  'rmdirSync',
  'symlinkSync',
  'unlinkSync',
  'writeFileSync',
  'writeSync',
] as const;

let left = Infinity;
let passed = 0;

function point(): void {
  passed += 1;
  left -= 1;
  // The signal is taken on the way back from this call: nothing more runs.
  if (left < 0) process.kill(process.pid, 'SIGKILL');
}

/** From now on so many points are passed; at the next one the process dies. */
export function crashAfter(points: number): void {
  passed = 0;
  left = points;
}

/** Points passed since then. */
export const pointsPassed = (): number => passed;

type Function = (...args: unknown[]) => unknown;

const builtin = fs as unknown as Record<string, Function>;
for (const name of CHANGING) {
  const original = builtin[name];
  if (!original) continue;
  builtin[name] = (...args) => {
    // Reading a file is no change.
    if (name !== 'openSync' || (args[1] !== 'r' && args[1] !== 0 && args[1] !== undefined)) point();
    return original.apply(fs, args);
  };
}
syncBuiltinESMExports();

const load = koffi.load.bind(koffi);
koffi.load = (...where: Parameters<typeof load>) => {
  const library = load(...where);
  const bind = library.func.bind(library) as (...prototype: unknown[]) => Function;
  const func = (...prototype: unknown[]) => {
    const bound = bind(...prototype);
    const name = /(\w+)\s*\(/.exec(String(prototype[0]))?.[1] ?? '';
    if (READING.test(name)) return bound;
    const counted = (...args: unknown[]) => {
      point();
      return bound(...args);
    };
    return Object.assign(counted, bound);
  };
  // Its own `func` can't be replaced.
  return { ...library, func } as unknown as typeof library;
};
