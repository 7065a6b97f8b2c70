import { describe, expect, it } from 'vitest';
import { breakLine, shellPath } from './hull-path.ts';
import { layoutScope, type LayoutNode, type PlacedNode, type ScopeLayout } from './layout.ts';

const WIDE = { width: 2000 };

function node(pids: number[], parent: number | null, pidNamespace = 1): LayoutNode {
  return { key: `k${pids[0]}`, pids, parentKey: parent === null ? null : `k${parent}`, pidNamespace, textWidth: 90 };
}

const overlap = (a: PlacedNode, b: PlacedNode) =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;

/** What must hold of every layout: nothing overlaps, hulls contain exactly their members and keep apart. */
function expectSound(layout: ScopeLayout, nodes: LayoutNode[]): void {
  expect(layout.nodes.map((placed) => placed.key).toSorted()).toEqual(nodes.map((n) => n.key).toSorted());
  const byY = layout.nodes.toSorted((a, b) => a.y - b.y);
  byY.forEach((a, i) => {
    for (let j = i + 1; j < byY.length && (byY[j]?.y ?? 0) < a.y + a.height; j += 1)
      expect([a.key, byY[j]?.key, overlap(a, byY[j]!)]).toEqual([a.key, byY[j]?.key, false]);
  });
  for (const hull of layout.hulls) {
    const members = new Set(hull.members);
    for (const placed of layout.nodes) {
      const within =
        placed.x > hull.x &&
        placed.x + placed.width < hull.x + hull.width &&
        placed.y > hull.y &&
        placed.y + placed.height < hull.y + hull.height;
      expect([hull.id, placed.key, within]).toEqual([hull.id, placed.key, members.has(placed.key)]);
      if (!members.has(placed.key)) expect(overlap({ ...placed }, { ...hull, key: hull.id, cells: [] })).toBe(false);
    }
    for (const other of layout.hulls) {
      if (other === hull) continue;
      const apart =
        hull.x + hull.width <= other.x ||
        other.x + other.width <= hull.x ||
        hull.y + hull.height <= other.y ||
        other.y + other.height <= hull.y;
      const nested =
        hull.members.every((key) => other.members.includes(key)) ||
        other.members.every((key) => hull.members.includes(key));
      expect(apart || nested).toBe(true);
    }
    expect(hull.x + hull.width).toBeLessThanOrEqual(layout.width);
    expect(hull.y + hull.height).toBeLessThanOrEqual(layout.bottom + 1e-9);
  }
}

const lessonTree = [
  node([1], null),
  node([12], 1),
  node([15], 1),
  node([110], 12),
  node([111, 1], 110, 7),
  node([120, 8], 111, 7),
  node([121, 9], 111, 7),
];

describe('layoutScope', () => {
  it('draws one process', () => {
    const nodes = [node([1], null)];
    const layout = layoutScope(nodes, WIDE);
    expectSound(layout, nodes);
    expect(layout.hulls).toEqual([]);
  });

  it('wraps a nested pid namespace in a hull, level with the process that forked into it', () => {
    const layout = layoutScope(lessonTree, WIDE);
    expectSound(layout, lessonTree);
    expect(layout.hulls).toMatchObject([{ id: '7', level: 2, members: ['k111', 'k120', 'k121'], parent: null }]);
    const at = (key: string) => layout.nodes.find((placed) => placed.key === key)!;
    const middle = (placed: PlacedNode) => placed.y + placed.height / 2;
    expect(middle(at('k111'))).toBe(middle(at('k110')));
    const fork = layout.edges.find((edge) => edge.id === 'fork-k111');
    expect(fork?.port?.y).toBe(middle(at('k111')));
    expect(at('k111').cells).toHaveLength(2);
  });

  it('puts hulls below the tree when the sheet is narrow, and never wider than it must', () => {
    const layout = layoutScope(lessonTree, { width: 430 });
    expectSound(layout, lessonTree);
    expect(layout.width).toBeLessThan(layoutScope(lessonTree, WIDE).width);
    const lowest = Math.max(
      ...layout.nodes.filter((p) => ['k1', 'k12', 'k15', 'k110'].includes(p.key)).map((p) => p.y),
    );
    expect(layout.hulls[0]!.y).toBeGreaterThan(lowest);
  });

  it.each([WIDE, { width: 400 }])('nests hulls, and keeps several apart ($width wide)', (sheet) => {
    const nodes = [
      ...lessonTree,
      node([140, 14], 111, 7),
      node([141, 15, 1], 140, 8),
      node([142, 16, 2], 141, 8),
      node([150], 15),
      node([151, 1], 150, 9),
      node([152, 2], 151, 9),
      node([160, 20, 1], 121, 10),
    ];
    const layout = layoutScope(nodes, sheet);
    expectSound(layout, nodes);
    expect(new Map(layout.hulls.map((hull) => [hull.id, hull.parent]))).toEqual(
      new Map([
        ['7', null],
        ['8', '7'],
        ['9', null],
        ['10', '7'],
      ]),
    );
  });

  it('keeps a process whose namespace can no longer be read with its parent', () => {
    const dying = { ...node([122, 10], 111), pidNamespace: null };
    const layout = layoutScope([...lessonTree, dying], WIDE);
    expect(layout.hulls).toHaveLength(1);
    expect(layout.hulls[0]!.members).toContain('k122');
  });

  it('shows orphans and processes from outside at the edge of their namespace', () => {
    const nodes = [node([1], null), node([30], 999), node([31, 5], 999, 7)];
    const layout = layoutScope(nodes, WIDE);
    expectSound(layout, nodes);
    expect(layout.edges).toEqual([]);
  });

  it.each([30, 500])('lays out %i processes without overlaps', (count) => {
    const nodes = [node([1], null)];
    for (let i = 2; i <= count; i += 1) {
      const inside = i % 3 === 0;
      const parent = i <= 6 ? 1 : Math.max(1, Math.floor(i / 2));
      nodes.push(inside ? node([i, i], parent, 100 + (i % 4)) : node([i], parent));
    }
    expectSound(layoutScope(nodes, WIDE), nodes);
    expectSound(layoutScope(nodes, { width: 400 }), nodes);
  });

  it('lays the same tree out the same way, whatever the order it comes in', () => {
    expect(layoutScope(lessonTree.toReversed(), WIDE).nodes.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual(
      layoutScope(lessonTree, WIDE).nodes.toSorted((a, b) => a.key.localeCompare(b.key)),
    );
  });
});

describe('hull lines', () => {
  it('stay inside their box', () => {
    const [hull] = layoutScope(lessonTree, WIDE).hulls;
    const numbers = [...shellPath(hull!).matchAll(/-?\d+(?:\.\d+)? -?\d+(?:\.\d+)?/g)].map((m) =>
      m[0].split(' ').map(Number),
    );
    for (const [x, y] of numbers) {
      expect(x).toBeGreaterThanOrEqual(hull!.x - 0.1);
      expect(x).toBeLessThanOrEqual(hull!.x + hull!.width + 0.1);
      expect(y).toBeGreaterThanOrEqual(hull!.y - 0.1);
      expect(y).toBeLessThanOrEqual(hull!.y + hull!.height + 0.1);
    }
    const right = Math.max(...layoutScope(lessonTree, WIDE).nodes.map((placed) => placed.x + placed.width));
    const tears = [...breakLine(hull!).matchAll(/[ML](-?\d+(?:\.\d+)?)/g)].map((m) => Number(m[1]));
    expect(Math.min(...tears)).toBeGreaterThan(right - 8);
  });
});
