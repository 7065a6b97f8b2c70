'use client';
// The drawing of the Processes view: tree, hulls, the one floor under them. Arrow keys choose a process.
import type { TerminalInfo } from '@drydock/protocol/events.ts';
import type { Snapshot } from '@drydock/protocol/observed.ts';
import { useTranslations } from 'next-intl';
import { useCallback, useEffect, useMemo, useRef, type KeyboardEvent } from 'react';
import { Glyph } from '../sign/sign.tsx';
import { layoutScope, type Hull, type ScopeLayout } from './layout.ts';
import { Plate, plateTextWidth, type PlateText } from './plate.tsx';
import { nameOf, type ProcessView } from './process-view.ts';
import { Ship } from './ship.tsx';
import { usePan } from './use-pan.ts';
import { remark, type ScopeWords } from './words.ts';
import styles from './drawing.module.css';

/** In how many lines the words under the floor are set, by the width of the sheet. */
const floorLines = (width: number) => (width < 540 ? 3 : width < 720 ? 2 : 1);
const belowFloor = (width: number) => 20 + 18 * floorLines(width);
const KEEL = 24;
/** How far the sheet's last hull may be drawn deeper than its members need, to stand on the floor. */
const STRETCH = 260;

interface DrawingProps {
  snapshot: Snapshot;
  views: readonly ProcessView[];
  terminals: readonly TerminalInfo[];
  selected: string | null;
  onSelect: (key: string) => void;
}

export function Drawing({ snapshot, views, terminals, selected, onSelect }: DrawingProps) {
  const t = useTranslations('scope');
  const pane = useRef<HTMLDivElement>(null);
  const { viewport, onPointerDown, onScroll, pan, reveal } = usePan(pane);
  const texts = useMemo(
    () => new Map(views.map((view) => [view.key, textOf(view, terminals, t)])),
    [views, terminals, t],
  );
  const layout = useMemo(
    () =>
      layoutScope(
        views.map((view) => ({
          key: view.key,
          pids: view.process.pids,
          parentKey: view.process.parentKey,
          pidNamespace: view.process.namespaces.pid,
          textWidth: plateTextWidth(texts.get(view.key) ?? EMPTY, view.own.length, view.process.pids.length > 1),
        })),
        { width: Math.max(320, viewport.width) },
      ),
    [views, texts, viewport.width],
  );
  const floorY = Math.max(layout.bottom + KEEL, viewport.height - belowFloor(viewport.width));
  const width = Math.max(layout.width, viewport.width);
  const height = Math.max(floorY + belowFloor(viewport.width), viewport.height);
  const byKey = new Map(views.map((view) => [view.key, view]));
  const visible = layout.nodes.filter((node) => node.y + node.height > viewport.top && node.y < viewport.bottom);

  // What a check names, and a namespace that has just been made, come into view by themselves.
  const marked = views.find((view) => view.marked)?.key ?? null;
  const hullCount = layout.hulls.length;
  const latest = useRef(layout);
  useEffect(() => {
    latest.current = layout;
  }, [layout]);
  const bring = useCallback(
    (key: string | null) => {
      const node = latest.current.nodes.find((candidate) => candidate.key === key);
      if (node) reveal(node);
    },
    [reveal],
  );
  useEffect(() => bring(marked), [bring, marked]);
  useEffect(() => {
    const hull = latest.current.hulls.at(-1);
    if (hullCount > 0 && hull) reveal(hull);
  }, [hullCount, reveal]);

  const onKeyDown = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.shiftKey) return pan(step[0] * 60, step[1] * 60);
    const key = neighbour(layout, byKey, selected, step);
    if (key === null) return;
    onSelect(key);
    bring(key);
  };
  return (
    <div
      ref={pane}
      className={`${styles.pane} sheet-grid`}
      tabIndex={0}
      role="group"
      aria-label={t('drawingLabel')}
      onKeyDown={onKeyDown}
      onPointerDown={onPointerDown}
      onScroll={onScroll}
    >
      <svg className={styles.svg} width={width} height={height} role="presentation">
        <Floor
          y={floorY}
          width={width}
          snapshot={snapshot}
          nested={hullCount > 0}
          height={height}
          lines={floorLines(viewport.width)}
        />
        <Glyph type="pid" own={false} x={24} y={14} size={17} />
        <text x="48" y="27" className={`${styles.n2} ${styles.b}`}>
          {`pid:[${snapshot.namespaces.pid ?? '?'}]`}
          <tspan className={styles.n} dx="9" fontWeight="500">
            {t('yourHost')}
          </tspan>
        </text>
        {stand(layout.hulls, floorY).map(({ hull, groundY, onFloor }) => (
          <Ship
            key={hull.id}
            x={hull.x}
            y={hull.y}
            width={hull.width}
            height={hull.height}
            bow={hull.bow}
            title={`pid:[${hull.inode ?? '?'}]`}
            note={hull.level === 2 ? t('childNamespace') : t('deeperNamespace', { level: hull.level - 1 })}
            groundY={groundY}
            onFloor={onFloor}
          />
        ))}
        {layout.edges.map((edge) => (
          <path key={edge.id} className={edge.port ? styles.fork : styles.line} d={edge.path} />
        ))}
        {layout.edges.map((edge) =>
          edge.port ? (
            <g key={edge.id}>
              <circle className={styles.port} cx={edge.port.x} cy={edge.port.y} r="5" />
              <path className={styles.arrow} d={`M${edge.end.x} ${edge.end.y}l-9-4.5v9z`} />
            </g>
          ) : null,
        )}
        {visible.map((node) => {
          const view = byKey.get(node.key);
          const text = texts.get(node.key);
          return view && text ? (
            <Plate
              key={node.key}
              view={view}
              name={text.name}
              remark={text.remark}
              fresh={text.fresh}
              nextChild={text.nextChild}
              x={node.x}
              y={node.y}
              width={node.width}
              height={node.height}
              cells={node.cells.join(' ')}
              selected={node.key === selected}
              onSelect={onSelect}
            />
          ) : null;
        })}
        <Leaders layout={layout} t={t} />
      </svg>
    </div>
  );
}

const EMPTY: PlateText = { name: '', remark: '', fresh: null, nextChild: null };
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function textOf(view: ProcessView, terminals: readonly TerminalInfo[], t: ScopeWords): PlateText {
  return {
    name: nameOf(view.process),
    remark: remark(view, terminals, t),
    fresh: view.isNew && !view.exit ? t('new') : null,
    nextChild: view.nextChild === null ? null : t('nextChild'),
  };
}

/** Up and down along the rows, left to the parent, right to the first child. */
function neighbour(
  layout: ScopeLayout,
  byKey: ReadonlyMap<string, ProcessView>,
  selected: string | null,
  [dx, dy]: readonly [number, number],
): string | null {
  const order = layout.nodes;
  const index = order.findIndex((node) => node.key === selected);
  if (index < 0) return order[0]?.key ?? null;
  if (dy !== 0) return order[index + dy]?.key ?? null;
  const view = selected === null ? undefined : byKey.get(selected);
  if (dx < 0) return view?.process.parentKey && byKey.has(view.process.parentKey) ? view.process.parentKey : null;
  return order.find((node) => byKey.get(node.key)?.process.parentKey === selected)?.key ?? null;
}

/** What every hull stands on: the lowest outermost ones on the dock floor, the others on a shelf of their own. */
function stand(hulls: readonly Hull[], floorY: number): { hull: Hull; groundY: number; onFloor: boolean }[] {
  const lowest = hulls.findLast((hull) => hull.parent === null);
  return hulls.map((hull) => {
    const bottom = hull.y + hull.height;
    if (hull !== lowest) return { hull, groundY: bottom + 12, onFloor: false };
    const deeper = floorY - KEEL - bottom;
    if (deeper > STRETCH + KEEL) return { hull, groundY: bottom + 12, onFloor: false };
    return { hull: { ...hull, height: hull.height + deeper }, groundY: floorY, onFloor: true };
  });
}

function Floor({
  y,
  width,
  height,
  snapshot,
  nested,
  lines,
}: {
  y: number;
  width: number;
  height: number;
  snapshot: Snapshot;
  nested: boolean;
  lines: number;
}) {
  const t = useTranslations('scope');
  return (
    <>
      <rect className={styles.ground} x="0" y={y} width={width} height={height - y} />
      <rect x="0" y={y} width={width} height="9" fill="url(#hatch)" />
      <path className={styles.floor} d={`M0 ${y}H${width}`} />
      <text x="24" y={y + 26} className={`${styles.n2} ${styles.b}`}>
        {t(nested ? 'oneKernel' : 'oneKernelAlone')}
        <tspan className={styles.n} {...(lines > 1 ? { x: 24, dy: 17 } : { dx: 10 })} fontWeight="500">
          {t('kernelLine', { release: snapshot.kernel.release, hostname: snapshot.hostname })}
        </tspan>
        <tspan className={styles.n} {...(lines > 2 ? { x: 24, dy: 17 } : { dx: 7 })} fontWeight="500">
          {t('kernelMoral')}
        </tspan>
      </text>
    </>
  );
}

/** Says once for each hull which number is whose: leaders from the two cells of its first process. */
function Leaders({ layout, t }: { layout: ScopeLayout; t: ScopeWords }) {
  return layout.hulls.map((hull) => {
    const node = hull.level === 2 ? layout.nodes.find((candidate) => hull.members.includes(candidate.key)) : undefined;
    const [outer, inner] = node?.cells ?? [];
    if (!node || outer === undefined || inner === undefined) return null;
    const first = node.x + outer / 2;
    const second = node.x + outer + inner / 2;
    return (
      <g key={hull.id}>
        <path className={styles.lead} d={`M${first} ${node.y}V${node.y - 32}h9M${second} ${node.y}V${node.y - 14}h9`} />
        <circle className={styles.dot} cx={first} cy={node.y} r="1.8" />
        <circle className={styles.dot} cx={second} cy={node.y} r="1.8" />
        <text x={first + 13} y={node.y - 28} className={styles.n2}>
          {t('seenByHost')}
        </text>
        <text x={second + 13} y={node.y - 10} className={styles.n2}>
          {t('seenInside')}
        </text>
      </g>
    );
  });
}
