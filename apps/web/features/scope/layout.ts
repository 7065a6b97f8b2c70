// Where everything of the process drawing stands. Pure geometry, in pixels at 1:1; knows no React, no words, no colours.
// One block per pid namespace: its processes as an indented tree; nested namespaces right of the tree, or below it when
// the sheet is narrow. Each nested block is wrapped by a hull.

export interface LayoutNode {
  key: string;
  pids: readonly number[];
  parentKey: string | null;
  /** Inode of its pid namespace; null when unreadable. */
  pidNamespace: number | null;
  /** Room its words need. */
  textWidth: number;
}

export interface PlacedNode {
  key: string;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Width of the cell of each pid, outermost first. */
  cells: readonly number[];
}

export interface Hull {
  id: string;
  inode: number | null;
  /** 2 for a child of the sandbox's namespace, 3 for its child … */
  level: number;
  x: number;
  y: number;
  width: number;
  height: number;
  bow: number;
  members: readonly string[];
  parent: string | null;
}

export interface Edge {
  id: string;
  path: string;
  /** Where it passes through the shell of a hull. */
  port: { x: number; y: number } | null;
  /** Its last point. */
  end: { x: number; y: number };
}

export interface ScopeLayout {
  nodes: readonly PlacedNode[];
  hulls: readonly Hull[];
  edges: readonly Edge[];
  width: number;
  /** Below the lowest object. */
  bottom: number;
}

export const METRIC = {
  margin: 24,
  top: 44,
  indent: 20,
  rootHeight: 32,
  rootPitch: 44,
  innerHeight: 46,
  innerPitch: 56,
  hullLabel: 20,
  padLeft: 42,
  padTop: 90,
  padTopDeep: 62,
  padBottom: 30,
  bow: 96,
  bowNarrow: 64,
  marginNarrow: 14,
  indentNarrow: 14,
  indentRootNarrow: 28,
  gap: 56,
  hullGap: 22,
  /** The sheer: how much higher the bow stands than the stern. */
  sheer: 26,
} as const;

interface Row {
  node: LayoutNode;
  depth: number;
  index: number;
}

interface Block {
  id: string;
  inode: number | null;
  level: number;
  members: LayoutNode[];
  rows: Row[];
  children: Block[];
  /** Key of the process outside that its first member descends from. */
  entry: string | null;
}

export interface Sheet {
  /** Width that can be seen without panning. */
  width: number;
}

/** Lays a tree out. Nodes are placed in the order of their outermost pid, children under their parent. */
export function layoutScope(nodes: readonly LayoutNode[], sheet: Sheet): ScopeLayout {
  const root = blocksOf(nodes);
  const wide = place(root, 'right', METRIC.bow);
  if (wide.width <= sheet.width || root.children.length === 0) return grow(wide, sheet);
  const tall = place(root, 'below', METRIC.bowNarrow);
  return tall.width < wide.width ? grow(tall, sheet) : wide;
}

/** Groups processes by pid namespace and finds which namespace stands inside which. */
function blocksOf(nodes: readonly LayoutNode[]): Block {
  const byKey = new Map(nodes.map((node) => [node.key, node]));
  const idOf = (node: LayoutNode): string => {
    if (node.pids.length <= 1) return 'host';
    if (node.pidNamespace !== null) return `${node.pidNamespace}`;
    // Unreadable (a process on its way out): it cannot have left the namespace of its parent's children.
    const parent = node.parentKey === null ? undefined : byKey.get(node.parentKey);
    return parent && parent.pids.length === node.pids.length && parent !== node
      ? idOf(parent)
      : `level-${node.pids.length}`;
  };
  const root: Block = { id: 'host', inode: null, level: 1, members: [], rows: [], children: [], entry: null };
  const blocks = new Map([['host', root]]);
  const blockOf = new Map<string, Block>();
  for (const node of nodes) {
    const id = idOf(node);
    let block = blocks.get(id);
    if (!block) {
      block = {
        id,
        inode: node.pidNamespace,
        level: node.pids.length,
        members: [],
        rows: [],
        children: [],
        entry: null,
      };
      blocks.set(id, block);
    }
    block.members.push(node);
    blockOf.set(node.key, block);
  }
  for (const block of blocks.values()) {
    block.rows = rowsOf(block.members);
    if (block === root) continue;
    outer(block, root, blocks, blockOf, byKey).children.push(block);
  }
  const order = new Map(root.rows.map((row) => [row.node.key, row.index]));
  for (const block of blocks.values())
    block.children.sort(
      (a, b) =>
        (order.get(a.entry ?? '') ?? 1e9) - (order.get(b.entry ?? '') ?? 1e9) || Number(a.inode) - Number(b.inode),
    );
  return root;
}

/** The block one level out that a block stands in: that of the nearest ancestor there, else the only one, else the host. */
function outer(
  block: Block,
  root: Block,
  blocks: ReadonlyMap<string, Block>,
  blockOf: ReadonlyMap<string, Block>,
  byKey: ReadonlyMap<string, LayoutNode>,
): Block {
  for (const row of block.rows) {
    if (row.depth > 0) continue;
    let ancestor = row.node.parentKey === null ? undefined : byKey.get(row.node.parentKey);
    if (ancestor) block.entry ??= ancestor.key;
    for (let steps = 0; ancestor && steps < 64; steps += 1) {
      const candidate = blockOf.get(ancestor.key);
      if (candidate && candidate.level === block.level - 1) return candidate;
      ancestor = ancestor.parentKey === null ? undefined : byKey.get(ancestor.parentKey);
    }
  }
  const level = [...blocks.values()].filter((candidate) => candidate.level === block.level - 1);
  return level.length === 1 && level[0] ? level[0] : root;
}

/** The members as an indented tree, depth first. A process whose parent is not a member stands at the left edge. */
function rowsOf(members: readonly LayoutNode[]): Row[] {
  const inside = new Set(members.map((node) => node.key));
  const children = new Map<string | null, LayoutNode[]>();
  for (const node of members) {
    const parent =
      node.parentKey !== null && inside.has(node.parentKey) && node.parentKey !== node.key ? node.parentKey : null;
    const list = children.get(parent);
    if (list) list.push(node);
    else children.set(parent, [node]);
  }
  for (const list of children.values()) list.sort((a, b) => (a.pids[0] ?? 0) - (b.pids[0] ?? 0));
  const rows: Row[] = [];
  const stack = (children.get(null) ?? []).toReversed().map((node) => ({ node, depth: 0 }));
  for (let next = stack.pop(); next; next = stack.pop()) {
    rows.push({ ...next, index: rows.length });
    for (const child of (children.get(next.node.key) ?? []).toReversed())
      stack.push({ node: child, depth: next.depth + 1 });
  }
  return rows;
}

const cellsOf = (pids: readonly number[]) => pids.map((pid) => Math.max(40, String(pid).length * 9.6 + 18));

interface Work {
  nodes: PlacedNode[];
  hulls: Hull[];
  edges: Edge[];
  at: Map<string, PlacedNode>;
  side: 'right' | 'below';
  bow: number;
}

function place(root: Block, side: 'right' | 'below', bow: number): ScopeLayout {
  const work: Work = { nodes: [], hulls: [], edges: [], at: new Map(), side, bow };
  const end = placeBlock(work, root, side === 'right' ? METRIC.margin : METRIC.marginNarrow, METRIC.top, null);
  return {
    nodes: work.nodes,
    hulls: work.hulls,
    edges: work.edges,
    width: end.right + (side === 'right' ? METRIC.margin : METRIC.marginNarrow),
    bottom: end.bottom,
  };
}

/** Places a block's rows from (x, y) on, then the hulls of its children. Answers where it ends. */
function placeBlock(
  work: Work,
  block: Block,
  x: number,
  y: number,
  hull: string | null,
): { right: number; bottom: number } {
  const deep = block.level > 1;
  const height = deep ? METRIC.innerHeight : METRIC.rootHeight;
  const pitch = deep ? METRIC.innerPitch : METRIC.rootPitch;
  let right = x;
  let bottom = y;
  for (const row of block.rows) {
    const cells = cellsOf(row.node.pids);
    const width = cells.reduce((sum, cell) => sum + cell, 0) + row.node.textWidth;
    const node = {
      key: row.node.key,
      x: x + row.depth * METRIC.indent,
      y: y + row.index * pitch,
      width,
      height,
      cells,
    };
    work.nodes.push(node);
    work.at.set(node.key, node);
    right = Math.max(right, node.x + width);
    bottom = Math.max(bottom, node.y + height);
  }
  treeEdges(work, block);
  const ownRight = right;
  const childX =
    work.side === 'right' ? ownRight + METRIC.gap : x + (deep ? METRIC.indentNarrow : METRIC.indentRootNarrow);
  let nextY = work.side === 'right' ? y - METRIC.top + 6 : bottom + METRIC.hullGap;
  if (deep && work.side === 'right') nextY = y;
  for (const child of block.children) {
    const padTop = child.level === 2 ? METRIC.padTop : METRIC.padTopDeep;
    const entry = child.entry === null ? undefined : work.at.get(child.entry);
    let top = nextY + METRIC.hullLabel;
    if (entry && work.side === 'right')
      top = Math.max(top, entry.y + entry.height / 2 - METRIC.innerHeight / 2 - padTop);
    const slot = work.hulls.length;
    const before: Hull = {
      id: child.id,
      inode: child.inode,
      level: child.level,
      x: childX,
      y: top,
      width: 0,
      height: 0,
      bow: work.bow,
      members: [],
      parent: hull,
    };
    work.hulls.push(before);
    const inner = placeBlock(work, child, childX + METRIC.padLeft, top + padTop, child.id);
    work.hulls[slot] = {
      ...before,
      width: inner.right - childX + work.bow,
      height: inner.bottom + METRIC.padBottom - top,
      members: membersOf(child),
    };
    forkEdges(work, child, work.hulls[slot]);
    right = Math.max(right, inner.right + work.bow);
    bottom = Math.max(bottom, inner.bottom + METRIC.padBottom);
    nextY = inner.bottom + METRIC.padBottom + METRIC.hullGap;
  }
  return { right, bottom };
}

const membersOf = (block: Block): string[] => [
  ...block.members.map((node) => node.key),
  ...block.children.flatMap(membersOf),
];

/** Parent to children inside one block: one path per parent. */
function treeEdges(work: Work, block: Block): void {
  const children = new Map<string, PlacedNode[]>();
  for (const row of block.rows) {
    const node = work.at.get(row.node.key);
    const parent = row.depth > 0 ? row.node.parentKey : null;
    if (!node || parent === null) continue;
    children.set(parent, [...(children.get(parent) ?? []), node]);
  }
  for (const [key, list] of children) {
    const parent = work.at.get(key);
    const last = list.at(-1);
    if (!parent || !last) continue;
    const x = parent.x + METRIC.indent / 2;
    const branches = list.map((node) => `M${x} ${node.y + node.height / 2}H${node.x}`).join('');
    work.edges.push({
      id: `tree-${key}`,
      path: `M${x} ${parent.y + parent.height}V${last.y + last.height / 2}${branches}`,
      port: null,
      end: { x: last.x, y: last.y + last.height / 2 },
    });
  }
}

/** From a parent outside to its children inside, through the shell. */
function forkEdges(work: Work, child: Block, hull: Hull): void {
  for (const row of child.rows) {
    if (row.depth > 0 || row.node.parentKey === null) continue;
    const from = work.at.get(row.node.parentKey);
    const to = work.at.get(row.node.key);
    if (!from || !to) continue;
    const y = to.y + to.height / 2;
    const port = { x: sternX(hull, y), y };
    const end = { x: to.x, y };
    if (work.side === 'right') {
      const channel = hull.x - 16;
      const fromY = from.y + from.height / 2;
      const path =
        fromY === y
          ? `M${from.x + from.width} ${y}H${to.x}`
          : `M${from.x + from.width} ${fromY}H${channel}V${y}H${to.x}`;
      work.edges.push({ id: `fork-${to.key}`, path, port, end });
    } else {
      // Out of the plate at its lower left, down beside the hull, in through the stern.
      const x = hull.x - 9;
      const out = from.y + from.height;
      const jog = out + 6;
      work.edges.push({
        id: `fork-${to.key}`,
        path: `M${from.x + 5} ${out}V${jog}H${x}V${y}H${to.x}`,
        port,
        end,
      });
    }
  }
}

/** The stern leans: its x at a height. */
export function sternX(hull: Pick<Hull, 'x' | 'y' | 'height'>, y: number): number {
  const top = hull.y + METRIC.sheer;
  const bottom = hull.y + hull.height - 44;
  const part = Math.min(1, Math.max(0, (y - top) / Math.max(1, bottom - top)));
  return hull.x + 14 * part;
}

/** Outermost hulls are drawn to a common right edge, as far as the sheet goes (but not absurdly far). */
function grow(layout: ScopeLayout, sheet: Sheet): ScopeLayout {
  const room = Math.min(240, sheet.width - layout.width);
  const outermost = layout.hulls.filter((hull) => hull.parent === null);
  const right = Math.max(0, ...outermost.map((hull) => hull.x + hull.width)) + Math.max(0, room);
  if (outermost.length === 0) return layout;
  return {
    ...layout,
    hulls: layout.hulls.map((hull) => (hull.parent === null ? { ...hull, width: right - hull.x } : hull)),
    width: Math.max(layout.width, right + METRIC.margin),
  };
}
