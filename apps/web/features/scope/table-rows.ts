// The process tree as rows of a table: depth first across namespaces, with what a treegrid needs to say. Pure.
import type { ProcessView } from './process-view.ts';

export interface TableRow {
  view: ProcessView;
  /** 1 for a root. */
  level: number;
  position: number;
  siblings: number;
  /** "│ ├ ": how the branch is drawn in text. */
  branch: string;
  parent: string | null;
  firstChild: string | null;
  /** Inode of the pid namespace that begins with this row; null when it is its parent's. */
  opens: number | null;
}

/** `host`: inode of the sandbox's own pid namespace. */
export function tableRows(views: readonly ProcessView[], host: number | null): TableRow[] {
  const keys = new Set(views.map((view) => view.key));
  const children = new Map<string | null, ProcessView[]>();
  for (const view of views) {
    const { parentKey } = view.process;
    const parent = parentKey !== null && parentKey !== view.key && keys.has(parentKey) ? parentKey : null;
    const list = children.get(parent);
    if (list) list.push(view);
    else children.set(parent, [view]);
  }
  for (const list of children.values()) list.sort((a, b) => (a.process.pids[0] ?? 0) - (b.process.pids[0] ?? 0));

  const rows: TableRow[] = [];
  const stack: Omit<TableRow, 'firstChild' | 'opens'>[] = [];
  const inodes = new Map<string, number | null>();
  const push = (parent: string | null, level: number, indent: string) => {
    const list = children.get(parent) ?? [];
    for (let i = list.length - 1; i >= 0; i -= 1) {
      const view = list[i];
      if (!view) continue;
      const last = i === list.length - 1;
      const branch = level === 1 ? '' : `${indent}${last ? '└ ' : '├ '}`;
      stack.push({ view, level, position: i + 1, siblings: list.length, branch, parent });
    }
  };
  push(null, 1, '');
  for (let row = stack.pop(); row; row = stack.pop()) {
    const inode = row.view.process.namespaces.pid ?? (row.parent === null ? host : (inodes.get(row.parent) ?? host));
    inodes.set(row.view.key, inode);
    const outer = row.parent === null ? host : (inodes.get(row.parent) ?? host);
    rows.push({
      ...row,
      firstChild: children.get(row.view.key)?.[0]?.key ?? null,
      opens: inode !== null && inode !== outer ? inode : null,
    });
    const indent = row.branch.replace(/├ $/, '│ ').replace(/└ $/, '  ');
    push(row.view.key, row.level + 1, indent);
  }
  return rows;
}
