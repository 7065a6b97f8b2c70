// The line of a sparkline from its readings. Pure geometry, 40 by 16.

const WIDTH = 40;
const BOTTOM = 15;
const TOP = 2;

/** Path through the readings, newest at the right edge; "" for fewer than two. `most`: the reading at the top. */
export function sparkline(readings: readonly number[], length: number, most: number): string {
  if (readings.length < 2) return '';
  const step = WIDTH / (length - 1);
  const start = WIDTH - (readings.length - 1) * step;
  const y = (value: number) => BOTTOM - (BOTTOM - TOP) * Math.min(1, Math.max(0, value / Math.max(most, 1e-9)));
  return readings
    .map((value, i) => `${i === 0 ? 'M' : 'L'}${(start + i * step).toFixed(1)} ${y(value).toFixed(1)}`)
    .join('');
}

/** The same line closed down to the ground, for filling. */
export function sparkArea(path: string): string {
  const start = /^M([\d.]+)/.exec(path)?.[1];
  return start === undefined ? '' : `${path}V16H${start}Z`;
}
