// Everything of the host that one engine holds, counted: what a long run must leave where it was.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pssMib } from '../bench/process-memory.ts';

export interface Holdings {
  readonly mounts: number;
  readonly links: number;
  readonly rules: number;
  readonly groups: number;
  readonly loops: number;
  readonly descriptors: number;
  readonly processes: number;
  /** Files and folders below its run directory: a container leaves its keeper's there. */
  readonly runFiles: number;
  readonly rootFiles: number;
  readonly memoryMib: number;
}

export interface Held {
  /** The engine's six characters, which its links, tables and groups have in their names. */
  readonly instance: string;
  readonly root: string;
  readonly run: string;
  readonly daemonPid: number;
}

const lines = (text: string) => text.split('\n').filter((line) => line !== '');

/** Folders below cgroupfs trees whose first name has the instance in it. */
function groupsOf(instance: string): number {
  const trees = ['.', ...readdirSync('/sys/fs/cgroup')].map((tree) => join('/sys/fs/cgroup', tree));
  const count = (folder: string): number =>
    readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .reduce((sum, entry) => sum + count(join(folder, entry.name)), 1);
  return trees
    .filter((tree) => existsSync(tree))
    .flatMap((tree) =>
      readdirSync(tree, { withFileTypes: true })
        .filter((entry) => entry.isDirectory() && entry.name.includes(instance))
        .map((entry) => count(join(tree, entry.name))),
    )
    .reduce((sum, one) => sum + one, 0);
}

function loopsBelow(folder: string): number {
  return readdirSync('/sys/block').filter((name) => {
    const backing = join('/sys/block', name, 'loop/backing_file');
    return existsSync(backing) && readFileSync(backing, 'utf8').startsWith(folder);
  }).length;
}

/** Processes that hold something open below the run directory: keepers. */
function keepersOf(run: string, daemonPid: number): number {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name) || Number(name) === daemonPid) return false;
    try {
      return readdirSync(`/proc/${name}/fd`).some((fd) => readlinkSync(`/proc/${name}/fd/${fd}`).startsWith(run));
    } catch {
      return false; // ended meanwhile
    }
  }).length;
}

export function holdingsOf({ instance, root, run, daemonPid }: Held): Holdings {
  const mounts = lines(readFileSync('/proc/self/mountinfo', 'utf8'));
  const links = JSON.parse(execFileSync('ip', ['-j', 'link', 'show'], { encoding: 'utf8' })) as { ifname: string }[];
  const rules = lines(execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }));
  const start = rules.findIndex((line) => line.startsWith('table ') && line.includes(instance));
  const end = start < 0 ? -1 : rules.indexOf('}', start);
  return {
    mounts: mounts.filter((line) => line.includes(root) || line.includes(run)).length,
    links: links.filter(({ ifname }) => ifname.includes(instance)).length,
    rules: start < 0 ? 0 : end - start,
    groups: groupsOf(instance),
    loops: loopsBelow(root),
    descriptors: readdirSync(`/proc/${daemonPid}/fd`).length,
    processes: keepersOf(run, daemonPid),
    runFiles: readdirSync(run, { recursive: true }).length,
    rootFiles: readdirSync(root, { recursive: true }).length,
    memoryMib: pssMib(daemonPid),
  };
}

/** How much more of a thing may be there than before: the daemon's memory breathes, all else comes back to what it was. */
const SLACK: Readonly<Partial<Record<keyof Holdings, number>>> = { memoryMib: 24, descriptors: 2 };

/** Sentences of what grew. */
export function grown(before: Holdings, after: Holdings): string[] {
  return (Object.keys(before) as (keyof Holdings)[])
    .filter((key) => after[key] > before[key] + (SLACK[key] ?? 0))
    .map((key) => `${key}: ${format(before[key])} before, ${format(after[key])} after`);
}

const format = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
