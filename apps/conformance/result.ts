// What a suite said, and what is made of it: a table per file, and which of the tests that must pass did not. Pure.

export type Outcome = 'passed' | 'failed' | 'skipped';

/** One test of somebody else's suite. */
export interface TestResult {
  readonly suite: string;
  readonly file: string;
  /** The same from run to run: what the list of tests that must pass names. */
  readonly id: string;
  readonly outcome: Outcome;
  /** Why it failed or was skipped. */
  readonly detail?: string;
}

export interface FileCount {
  readonly suite: string;
  readonly file: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** One row per file, in the order in which they ran. */
export function countByFile(results: readonly TestResult[]): FileCount[] {
  const rows = new Map<string, FileCount>();
  for (const { suite, file, outcome } of results) {
    const key = `${suite}\0${file}`;
    const row = rows.get(key) ?? { suite, file, passed: 0, failed: 0, skipped: 0 };
    rows.set(key, { ...row, [outcome]: row[outcome] + 1 });
  }
  return [...rows.values()];
}

/** The rows and their sum, as aligned text. */
export function countTable(rows: readonly FileCount[]): string {
  const sum = (outcome: Outcome) => rows.reduce((total, row) => total + row[outcome], 0);
  const total = { suite: '', file: 'all', passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
  const cells = [
    ['suite', 'file', 'passed', 'failed', 'skipped'],
    ...[...rows, total].map(({ suite, file, passed, failed, skipped }) =>
      [suite, file, passed, failed, skipped].map(String),
    ),
  ];
  const widths = (cells[0] ?? []).map((_cell, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The ids of a committed list: one a line, `#` begins a comment line. */
export function idsOf(list: string): string[] {
  return list
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

export interface Broken {
  readonly id: string;
  readonly reason: string;
}

/** Tests that must pass and did not: failed, skipped, or not there. Only those that `ran` says were asked for. */
export function brokenOf(
  mustPass: readonly string[],
  results: readonly TestResult[],
  asked: (id: string) => boolean = () => true,
): Broken[] {
  const found = new Map(results.map((result) => [result.id, result]));
  return mustPass.filter(asked).flatMap((id) => {
    const result = found.get(id);
    if (result?.outcome === 'passed') return [];
    return [{ id, reason: result ? `${result.outcome}: ${result.detail ?? ''}`.trim() : 'not run' }];
  });
}

/** Passed tests that the list does not name yet. */
export function newlyPassing(mustPass: readonly string[], results: readonly TestResult[]): string[] {
  const known = new Set(mustPass);
  return results.filter(({ id, outcome }) => outcome === 'passed' && !known.has(id)).map(({ id }) => id);
}
