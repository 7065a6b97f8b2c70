// What ps(1) prints, as a table, of some processes only. Pure.
import { EngineError } from './engine-error.ts';

export interface ProcessTable {
  readonly Titles: string[];
  readonly Processes: string[][];
}

/** A column may be renamed to anything but another column's PID (moby, daemon/top_unix.go). */
export function checkPsArguments(args: readonly string[]): void {
  const text = ` ${args.join(' ')}`;
  for (const [, column, name] of text.matchAll(/\s+([^\s]*)=\s*(PID[^\s]*)/g))
    if (column !== 'pid') throw new EngineError('invalid_argument', `specifying "${column}=${name}" is not allowed`);
}

/** Throws internal when there is no PID column. */
export function tableOf(output: string, pids: ReadonlySet<number>): ProcessTable {
  const [head = '', ...lines] = output.split('\n');
  const Titles = head.trim().split(/\s+/);
  const at = Titles.indexOf('PID');
  if (at < 0) throw new EngineError('internal', "Couldn't find PID field in ps output");
  const Processes = lines
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => pids.has(Number(fields[at])))
    // The last column is the command: it has spaces of its own.
    .map((fields) => [...fields.slice(0, Titles.length - 1), fields.slice(Titles.length - 1).join(' ')]);
  return { Titles, Processes };
}
