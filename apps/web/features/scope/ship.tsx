// A nested pid namespace drawn as a hull in cutaway, on its keel blocks.
import { memo, useId } from 'react';
import { Glyph } from '../sign/sign.tsx';
import { breakLine, keelBlocks, platingPath, rudderPath, shellPath, strakes } from './hull-path.ts';
import { METRIC } from './layout.ts';
import styles from './drawing.module.css';

interface ShipProps {
  x: number;
  y: number;
  width: number;
  height: number;
  bow: number;
  title: string;
  note: string;
  /** What it stands on; the blocks reach down to it. */
  groundY: number;
  /** The ground is the dock floor, which is drawn once for all. */
  onFloor: boolean;
}

export const Ship = memo(function Ship(box: ShipProps) {
  const { x, y, width, height, bow, groundY } = box;
  const id = useId();
  const shell = shellPath(box);
  const bottom = y + height;
  const blocks = keelBlocks(box);
  const glyph = bow > 70 ? 30 : 22;
  return (
    <g className="pid" data-hull={box.title}>
      {blocks.map((left) => (
        <g key={left}>
          <rect className={styles.block} x={left} y={bottom} width="26" height={groundY - bottom} />
          <rect x={left} y={bottom} width="26" height={groundY - bottom} fill="url(#hatch)" />
        </g>
      ))}
      {box.onFloor ? null : <path className={styles.shelf} d={`M${x + 46} ${groundY}H${x + width - bow}`} />}
      <g className={styles.arrive}>
        <path className={styles.rudder} d={rudderPath(box)} />
        <defs>
          <clipPath id={`${id}-shell`}>
            <path d={shell} />
          </clipPath>
        </defs>
        <path className={styles.hold} d={shell} />
        <g clipPath={`url(#${id}-shell)`}>
          <path className={styles.shellIn} d={shell} />
          <path className={styles.shellGap} d={shell} />
          <path className={styles.frames} d={shell} />
          <path className={styles.plating} d={platingPath(box)} />
          {strakes(box).map((d) => (
            <path key={d} className={styles.strake} d={d} clipPath={`url(#${id}-bow)`} />
          ))}
          <path className={styles.break} d={breakLine(box)} />
        </g>
        <defs>
          <clipPath id={`${id}-bow`}>
            <path d={platingPath(box)} />
          </clipPath>
        </defs>
        <path className={styles.shell} d={shell} />
        <Glyph type="pid" own size={glyph} x={x + width - bow * 0.66} y={y + METRIC.sheer + 18} />
        <Glyph type="pid" own size={17} x={x + 2} y={y + METRIC.sheer - 30} />
        <text x={x + 26} y={y + METRIC.sheer - 17} className={`${styles.n2} ${styles.b}`}>
          {box.title}
          <tspan className={styles.n} dx="9" fontWeight="500">
            {box.note}
          </tspan>
        </text>
      </g>
    </g>
  );
});
