// What processes cost: the proportional set size that the kernel counts in smaps_rollup, of a process and those below it.
import { readdirSync, readFileSync } from 'node:fs';

/** Parent of a pid, or null where it is gone. The name in /proc/PID/stat may hold anything: what follows its last bracket counts. */
export function parentOf(pid: number): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return null; // ended meanwhile
  }
}

/** The process and all below it. */
export function treeOf(root: number): number[] {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(Number(name))] as const);
  const tree = [root];
  for (const pid of tree) tree.push(...parents.filter(([, parent]) => parent === pid).map(([child]) => child));
  return tree;
}

/** MiB of proportional set size; 0 for a process that is gone. */
export function pssMib(pid: number): number {
  try {
    const kib = /^Pss:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1];
    return Number(kib ?? 0) / 1024;
  } catch {
    return 0; // ended meanwhile
  }
}

export const sumMib = (pids: readonly number[]): number => pids.reduce((sum, pid) => sum + pssMib(pid), 0);
