// One line of the comparison: ours beside one peer, from samples taken in one run; and the table of all. Pure.
import { median, meets, type Target, targetText } from './statistics.ts';

export interface BenchRow {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  /** Median of ours. */
  readonly ours: number;
  /** Median of the peer; null where the peer is not on this machine. */
  readonly peer: number | null;
  readonly peerName: string;
  readonly ratio: number | null;
  /** Null: shown for comparison, with no promise. */
  readonly target: string | null;
  readonly met: boolean | null;
  readonly samples: { readonly ours: readonly number[]; readonly peer: readonly number[] };
}

export interface Compared {
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly peerName: string;
  readonly target?: Target;
}

/** A row from both sides' samples; with no samples of the peer, ours alone. */
export function compare(what: Compared, ours: readonly number[], peer: readonly number[]): BenchRow {
  const mine = median(ours);
  const theirs = peer.length === 0 ? null : median(peer);
  const ratio = theirs === null || theirs === 0 ? null : mine / theirs;
  return {
    id: what.id,
    what: what.what,
    unit: what.unit,
    ours: mine,
    peer: theirs,
    peerName: what.peerName,
    ratio,
    target: what.target ? targetText(what.target) : null,
    met: what.target && ratio !== null ? meets(what.target, ratio) : null,
    samples: { ours, peer },
  };
}

/** Three significant digits. */
export const short = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));

/** Aligned text, one line a row. */
export function benchTable(rows: readonly BenchRow[]): string {
  const head = ['id', 'what', 'unit', 'ours', 'peer', '', 'ratio', 'target', 'met'];
  const verdict = (met: boolean | null) => (met === null ? '' : met ? 'yes' : 'NO');
  const cells = [
    head,
    ...rows.map((row) => [
      row.id,
      row.what,
      row.unit,
      short(row.ours),
      row.peer === null ? 'absent' : short(row.peer),
      row.peerName,
      row.ratio === null ? '' : row.ratio.toFixed(3),
      row.target ?? '',
      verdict(row.met),
    ]),
  ];
  const right = new Set([3, 4, 6]);
  const widths = head.map((_name, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) =>
          right.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
