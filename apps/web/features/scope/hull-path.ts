// The lines of a ship seen in cutaway, for a hull of any size. Pure geometry.
import { METRIC, type Hull } from './layout.ts';

const n = (value: number) => Number(value.toFixed(1));

type Box = Pick<Hull, 'x' | 'y' | 'width' | 'height' | 'bow'>;

/** The shell: stern on the left, raked bow on the right, rounded bilges, the deck with its sheer. */
export function shellPath({ x, y, width, height, bow }: Box): string {
  const right = x + width;
  const bottom = y + height;
  const rake = Math.min(bow * 0.62, height * 0.3);
  const turn = Math.min(40, height * 0.3);
  const deck = y + METRIC.sheer;
  return [
    `M${n(x)} ${n(deck)}`,
    `C${n(x + width * 0.33)} ${n(deck + 9)} ${n(x + width * 0.74)} ${n(deck)} ${n(right)} ${n(y)}`,
    `C${n(right - rake * 0.22)} ${n(y + height * 0.32)} ${n(right - rake * 0.52)} ${n(y + height * 0.62)} ${n(right - rake)} ${n(bottom - turn)}`,
    `C${n(right - rake - 13)} ${n(bottom - turn * 0.3)} ${n(right - rake - 36)} ${n(bottom)} ${n(right - rake - 58)} ${n(bottom)}`,
    `H${n(x + 62)}`,
    `C${n(x + 32)} ${n(bottom)} ${n(x + 18)} ${n(bottom - 14)} ${n(x + 14)} ${n(bottom - 44)}Z`,
  ].join('');
}

/** The torn edge where the plating begins: everything right of it is closed hull. */
export function breakLine({ x, y, width, height, bow }: Box): string {
  const at = x + width - bow * 0.74;
  const points: string[] = [];
  const teeth = [-5, 3, -6, 1, -7, -2, -11, -7, -3, -11, -7, -13];
  const step = 20;
  for (let down = -10, i = 0; down <= height + step; down += step, i += 1)
    points.push(`${n(at + (teeth[i % teeth.length] ?? 0))} ${n(y + down)}`);
  return `M${points.join('L')}`;
}

/** The closed part of the bow: the break line, then around the right. Clipped by the shell when drawn. */
export function platingPath(box: Box): string {
  const right = box.x + box.width + 4;
  return `${breakLine(box)}V${n(box.y + box.height + 30)}H${n(right)}V${n(box.y - 20)}Z`;
}

/** Strakes along the plating. */
export function strakes({ x, y, width, height, bow }: Box): string[] {
  const left = x + width - bow;
  const lines: string[] = [];
  for (let down = 46; down < height - 8; down += 30)
    lines.push(
      `M${n(left)} ${n(y + down + 14)}Q${n(left + bow * 0.5)} ${n(y + down + 11)} ${n(x + width)} ${n(y + down - 10)}`,
    );
  return lines;
}

/** The rudder behind the stern. */
export function rudderPath({ x, y, height }: Box): string {
  const top = y + height * 0.6;
  const bottom = y + height - 12;
  return `M${n(x + 9)} ${n(top)}l-15 4-5 ${n(bottom - top - 10)} 24 5z`;
}

/** Left edges of the keel blocks under a hull, evenly spaced, each 26 wide. */
export function keelBlocks({ x, width, bow }: Box): number[] {
  const from = x + 66;
  const to = x + width - bow - 20;
  const count = Math.max(2, Math.min(6, Math.floor((to - from) / 96) + 1));
  const step = count > 1 ? Math.max(30, (to - 26 - from) / (count - 1)) : 0;
  return Array.from({ length: count }, (_, i) => n(from + i * step));
}
