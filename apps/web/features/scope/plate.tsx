// One process as a plate: its pids side by side, its name, a remark, the namespaces of its own. Drawn again only when it
// or its place changed.
import { memo } from 'react';
import { Glyph } from '../sign/sign.tsx';
import type { ProcessView } from './process-view.ts';
import { shorten, textWidth } from './text-width.ts';
import styles from './drawing.module.css';

export interface PlateText {
  name: string;
  remark: string;
  /** "new", or null. */
  fresh: string | null;
  /** "next child", or null. */
  nextChild: string | null;
}

const GLYPH = 18;
const NAME = 7.8;
const NOTE = 6.9;
const MAX_NAME = 22;

const noteWidth = (text: PlateText) =>
  textWidth(text.remark, NOTE) +
  (text.fresh ? textWidth(text.fresh, NOTE) + 8 : 0) +
  (text.nextChild ? textWidth(text.nextChild, NOTE) + 34 : 0);

/** Room the words of a plate need beside its pids, padding included. */
export function plateTextWidth(text: PlateText, own: number, deep: boolean): number {
  const name = textWidth(shorten(text.name, MAX_NAME), NAME);
  const glyphs = own * GLYPH;
  return deep
    ? 20 + Math.max(name + (own > 0 ? 8 : 0) + glyphs, noteWidth(text))
    : 20 + name + 10 + noteWidth(text) + (own > 0 ? 8 : 0) + glyphs;
}

interface PlateProps {
  view: ProcessView;
  name: string;
  remark: string;
  fresh: string | null;
  nextChild: string | null;
  x: number;
  y: number;
  width: number;
  height: number;
  /** Widths of the pid cells, joined by spaces: a string compares by value. */
  cells: string;
  selected: boolean;
  onSelect: (key: string) => void;
}

export const Plate = memo(function Plate(props: PlateProps) {
  const { view, x, y, width, height, selected } = props;
  const { pids } = view.process;
  const deep = pids.length > 1;
  const widths = props.cells.split(' ').map(Number);
  const textX = x + widths.reduce((sum, cell) => sum + cell, 0) + 10;
  const name = shorten(props.name, MAX_NAME);
  const middle = y + height / 2;
  return (
    <g
      className={[
        styles.node,
        selected && styles.selected,
        view.exit && styles.gone,
        deep && styles.deep,
        styles.arrive,
      ]
        .filter(Boolean)
        .join(' ')}
      data-key={view.key}
      data-pids={pids.join(' ')}
      onClick={() => props.onSelect(view.key)}
    >
      <title>{view.process.argv.join(' ').slice(0, 300)}</title>
      {view.marked ? (
        <>
          <rect className={styles.markFill} x={x - 6} y={y - 6} width={width + 12} height={height + 12} />
          <rect className={styles.markRing} x={x - 6} y={y - 6} width={width + 12} height={height + 12} />
        </>
      ) : null}
      <rect className={styles.plate} x={x} y={y} width={width} height={height} />
      {pids.map((pid, index) => {
        const cell = widths[index] ?? 40;
        const left = x + widths.slice(0, index).reduce((sum, before) => sum + before, 0);
        const innermost = deep && index === pids.length - 1;
        return (
          <g key={index}>
            <rect
              className={innermost ? styles.innerCell : styles.cell}
              x={left + (index === 0 ? 0.75 : 0.5)}
              y={y + 0.75}
              width={cell - 1}
              height={height - 1.5}
            />
            <path className={styles.line} d={`M${left + cell} ${y}v${height}`} />
            <text
              x={left + cell / 2}
              y={middle + 5.5}
              className={`${styles.pidText} ${innermost ? styles.innermost : ''}`}
            >
              {pid}
            </text>
          </g>
        );
      })}
      {props.fresh === null ? null : <path className={styles.newFlag} d={`M${x + width} ${y}v9l-9-9z`} />}
      <text x={textX} y={deep ? y + 19 : middle + 4.5} className={styles.name}>
        {name}
      </text>
      <Note {...props} x={deep ? textX : textX + textWidth(name, NAME) + 9} y={deep ? y + 36 : middle + 4} />
      {view.own.map((type, index) => (
        <Glyph
          key={type}
          type={type}
          own
          size={15}
          x={
            deep
              ? textX + textWidth(name, NAME) + 7 + index * GLYPH
              : x + width - 8 - (view.own.length - index) * GLYPH + (GLYPH - 15)
          }
          y={deep ? y + 7 : middle - 7.5}
        />
      ))}
    </g>
  );
});

function Note({ fresh, remark, nextChild, x, y }: Pick<PlateProps, 'fresh' | 'remark' | 'nextChild' | 'x' | 'y'>) {
  const freshWidth = fresh === null ? 0 : textWidth(fresh, NOTE) + 8;
  const childX = x + freshWidth + textWidth(remark, NOTE) + 10;
  return (
    <>
      {fresh === null ? null : (
        <text x={x} y={y} className={`${styles.n2} ${styles.now}`}>
          {fresh}
        </text>
      )}
      <text x={x + freshWidth} y={y} className={styles.n}>
        {remark}
      </text>
      {nextChild === null ? null : (
        <>
          <text x={childX} y={y} className={styles.n2}>
            {nextChild}
          </text>
          <Glyph type="pid" own size={15} x={childX + textWidth(nextChild, NOTE) + 4} y={y - 11.5} />
        </>
      )}
    </>
  );
}
