import { expect, test } from 'vitest';
import { benchTable, compare } from './row.ts';
import { median, meets, quantile } from './statistics.ts';

test('quantiles lie between samples where they must', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 2, 3])).toBe(2.5);
  expect(quantile([0, 10], 0.95)).toBeCloseTo(9.5);
  expect(quantile([7], 0.95)).toBe(7);
  expect(() => median([])).toThrow('no samples');
});

test('a target is a bound on the ratio, with or without its edge', () => {
  expect(meets({ relation: '<=', ratio: 0.5 }, 0.5)).toBe(true);
  expect(meets({ relation: '<', ratio: 1 }, 1)).toBe(false);
});

const what = {
  id: 'start',
  what: 'run to exit',
  unit: 'ms',
  peerName: 'runc',
  target: { relation: '<=', ratio: 0.5 },
} as const;

test('a row says medians, ratio and whether the target is met, and keeps every sample', () => {
  expect(compare(what, [4, 6, 5], [20, 30, 10])).toEqual({
    id: 'start',
    what: 'run to exit',
    unit: 'ms',
    ours: 5,
    peer: 20,
    peerName: 'runc',
    ratio: 0.25,
    target: '<= 0.5',
    met: true,
    samples: { ours: [4, 6, 5], peer: [20, 30, 10] },
  });
});

test('the table says which target is missed and which peer is absent', () => {
  const rows = [compare(what, [15], [20]), compare({ ...what, peerName: 'crun' }, [1234.5], [])];
  expect(benchTable(rows)).toBe(
    [
      'id     what         unit  ours    peer        ratio  target  met',
      'start  run to exit  ms      15      20  runc  0.750  <= 0.5  NO',
      'start  run to exit  ms    1235  absent  crun         <= 0.5',
    ].join('\n'),
  );
});
