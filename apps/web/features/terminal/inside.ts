// Who reads a terminal's keys is he inside a namespace of his own? From the observed state; pure.
import {
  NAMESPACE_TYPES,
  type NamespaceType,
  type ObservedProcess,
  type Snapshot,
} from '@drydock/protocol/observed.ts';

export interface Inside {
  /** Types whose namespace is not the host's, in their usual order. */
  own: readonly NamespaceType[];
  /** "pid:[4026532716]", of the first of them. */
  label: string;
}

/**
 * Where the newest descendant of the terminal's shell is, as long as it has the same terminal: null on the learner's own
 * host. A shell whose children only would be born elsewhere is where it always was.
 */
export function insideOf(snapshot: Snapshot, terminal: string): Inside | null {
  const living = snapshot.processes.filter(({ state }) => state !== 'Z' && state !== 'X');
  const shell = living.find((process) => process.terminal === terminal);
  if (!shell) return null;
  let leaf: ObservedProcess = shell;
  for (const seen = new Set<string>(); !seen.has(leaf.key);) {
    seen.add(leaf.key);
    const { key } = leaf;
    const children = living.filter(
      (process) => process.parentKey === key && process.controllingTty === shell.controllingTty,
    );
    leaf = children.toSorted((a, b) => b.startedAtMs - a.startedAtMs || b.hostPid - a.hostPid)[0] ?? leaf;
  }
  const own = NAMESPACE_TYPES.filter((type) => {
    const inode = leaf.namespaces[type];
    return inode !== null && inode !== snapshot.namespaces[type];
  });
  const [first] = own;
  return first === undefined ? null : { own, label: `${first}:[${leaf.namespaces[first]}]` };
}
