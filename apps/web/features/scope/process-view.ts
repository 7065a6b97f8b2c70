// From the observed state to what Scope shows of each process. Pure: no words (those depend on the language), no places.
import {
  NAMESPACE_TYPES,
  type NamespaceType,
  type Namespaces,
  type ObservedExit,
  type ObservedProcess,
} from '@drydock/protocol/observed.ts';
import type { ScopeState } from '../connection/scope-feed.ts';

export interface ProcessView {
  key: string;
  process: ObservedProcess;
  /** Set while an ended process lingers. */
  exit: ObservedExit | null;
  /** Types whose namespace is not the sandbox's own. */
  own: readonly NamespaceType[];
  isNew: boolean;
  marked: boolean;
  /** Number 1 of a pid namespace below the sandbox's. */
  isInit: boolean;
  /** Where its next child is born, when that is another pid namespace than its own. */
  nextChild: number | null;
}

/** Makes views, and gives the same object again for a process that did not change: rendering compares identities. */
export function processViews(): (
  scope: ScopeState,
  baseline: ReadonlySet<string>,
  mark: string | null,
) => readonly ProcessView[] {
  let cache = new Map<string, ProcessView>();
  return (scope, baseline, mark) => {
    const { snapshot, ghosts } = scope;
    const next = new Map<string, ProcessView>();
    const add = (process: ObservedProcess, exit: ObservedExit | null) => {
      const isNew = !baseline.has(process.key);
      const marked = process.key === mark;
      const old = cache.get(process.key);
      const same = old && old.process === process && old.exit === exit && old.isNew === isNew && old.marked === marked;
      next.set(process.key, same ? old : viewOf(process, exit, isNew, marked, snapshot.namespaces));
    };
    for (const process of snapshot.processes) add(process, null);
    for (const ghost of ghosts) if (!next.has(ghost.process.key)) add(ghost.process, ghost.exit);
    cache = next;
    return [...next.values()];
  };
}

function viewOf(
  process: ObservedProcess,
  exit: ObservedExit | null,
  isNew: boolean,
  marked: boolean,
  sandbox: Namespaces,
): ProcessView {
  const { namespaces, pids, pidForChildren } = process;
  return {
    key: process.key,
    process,
    exit,
    own: NAMESPACE_TYPES.filter((type) => {
      const inode = namespaces[type];
      return inode !== null && sandbox[type] !== null && inode !== sandbox[type];
    }),
    isNew,
    marked,
    isInit: pids.length > 1 && pids.at(-1) === 1,
    nextChild:
      exit === null && pidForChildren !== null && namespaces.pid !== null && pidForChildren !== namespaces.pid
        ? pidForChildren
        : null,
  };
}

export type Relation = 'own' | 'shared' | 'unreadable' | 'no-parent';

/** A process's namespace of a type against its parent's. */
export function againstParent(process: ObservedProcess, parent: ObservedProcess | null, type: NamespaceType): Relation {
  const inode = process.namespaces[type];
  if (inode === null) return 'unreadable';
  if (!parent) return 'no-parent';
  const other = parent.namespaces[type];
  if (other === null) return 'unreadable';
  return other === inode ? 'shared' : 'own';
}

/** The base name of what a process runs: argv[0] without its path and the login shell's dash, else comm. */
export function nameOf(process: ObservedProcess): string {
  const [first] = process.argv;
  const base = first?.split('/').at(-1)?.replace(/^-/, '');
  // A script or a renamed thread: comm is what ps shows, argv[0] what was asked for. Kernel names are cut at 15 bytes.
  return base && base.startsWith(process.comm.slice(0, 15)) ? base : process.comm;
}
