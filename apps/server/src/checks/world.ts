// What the facts look at: one snapshot, indexed once per evaluation, and the subject P. Pure; never reads the kernel.
import type { Mount, ObservedExit, ObservedProcess, Snapshot } from '@drydock/engine/model/observed.ts';
import type { Language, Text } from '@drydock/protocol/lesson.ts';

/** When the step began, and what was there then. */
export interface Context {
  language: Language;
  stepStartedAtMs: number;
  /** Keys of the processes that were there when the step began. */
  baseline: ReadonlySet<string>;
}

/** P: a living process, or one that was PID 1 of a pid namespace and has ended. */
export type Subject = { living: ObservedProcess; ended?: never } | { ended: ObservedExit; living?: never };

export interface World {
  snapshot: Snapshot;
  context: Context;
  byKey: ReadonlyMap<string, ObservedProcess>;
  /** Living processes (no zombies) by the inode of their pid namespace, lowest host number first. */
  byPidNamespace: ReadonlyMap<number, readonly ObservedProcess[]>;
  /** The mounts of each mount namespace that was read, by its inode. */
  mounts: ReadonlyMap<number, readonly Mount[]>;
}

/** Indexes a snapshot. The order of its processes makes no difference to what comes out. */
export function worldOf(snapshot: Snapshot, context: Context): World {
  const processes = snapshot.processes.toSorted((a, b) => a.pids[0]! - b.pids[0]! || (a.key < b.key ? -1 : 1));
  const byPidNamespace = new Map<number, ObservedProcess[]>();
  const mounts = new Map<number, readonly Mount[]>();
  for (const process of processes) {
    const { pid, mnt } = process.namespaces;
    if (process.mounts !== null && mnt !== null && !mounts.has(mnt)) mounts.set(mnt, process.mounts);
    if (pid === null || !isAlive(process)) continue;
    const members = byPidNamespace.get(pid);
    if (members) members.push(process);
    else byPidNamespace.set(pid, [process]);
  }
  const byKey = new Map(processes.map((process) => [process.key, process]));
  return { snapshot, context, byKey, byPidNamespace, mounts };
}

/** A zombie holds a number, but runs no more. */
export function isAlive(process: ObservedProcess): boolean {
  return process.state !== 'Z' && process.state !== 'X';
}

/** Living processes of a pid namespace; none if the inode is unknown. */
export function membersOf(world: World, pidNamespace: number | null): readonly ObservedProcess[] {
  return pidNamespace === null ? [] : (world.byPidNamespace.get(pidNamespace) ?? []);
}

/** The number the learner's host calls it by. */
export function hostNumber(subject: Subject): number {
  return (subject.living ?? subject.ended).pids[0] ?? 0;
}

/** "57 (bash)": as the learner's host reads it. */
export function nameOf(process: Pick<ObservedProcess, 'pids' | 'comm'>): string {
  return `${process.pids[0] ?? '?'} (${process.comm})`;
}

/** The same sentence in both languages, where it is only numbers and names. */
export function plain(text: string): Text {
  return { en: text, zh: text };
}
