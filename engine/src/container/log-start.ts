// Where to begin reading a log, without reading all of it: its last lines are found from its end, a time by bisection.
import { LineCutter } from '../model/log-lines.ts';
import { BLOCK_BYTES, blockOf, type OutputChunk } from '../model/output-chunks.ts';
import type { LogFile } from './log-file.ts';

export interface LogStart {
  readonly position: number;
  /** How many of the first lines are not asked for. */
  readonly skipLines: number;
}

/** A line that is longer is cut: no line needs more of the log than this. */
const MOST_LINE_BYTES = 16_384;
const LINE_FEED = 10;

/** The block to begin with for what was written since then. */
export async function startOfTime(log: LogFile, sinceNs: bigint): Promise<LogStart> {
  let first = log.keptFrom / BLOCK_BYTES;
  let after = Math.ceil(log.end / BLOCK_BYTES);
  // The last block that begins before then; it may hold what is asked for, too.
  while (after - first > 1) {
    const middle = Math.floor((first + after) / 2);
    const [chunk] = await log.chunksAt(middle * BLOCK_BYTES);
    if (chunk === undefined || chunk.atNs < sinceNs) first = middle;
    else after = middle;
  }
  return { position: first * BLOCK_BYTES, skipLines: 0 };
}

/** The block to begin with for so many last lines. `whole`: what has no line feed yet is a line, too. */
export async function startOfTail(
  log: LogFile,
  count: number,
  wanted: (chunk: OutputChunk) => boolean,
  whole: boolean,
): Promise<LogStart> {
  if (count === 0) return { position: log.end, skipLines: 0 };
  // Of each stream the first line may have begun in an earlier block: two more are looked for.
  const enough = count + 2;
  let position = blockOf(Math.max(0, log.end - 1));
  for (let feeds = 0, bytes = 0; ; position -= BLOCK_BYTES) {
    for (const chunk of (await log.chunksAt(position)).filter(wanted)) {
      feeds += feedsIn(chunk.bytes);
      bytes += chunk.bytes.length;
    }
    if (feeds >= enough || bytes >= enough * MOST_LINE_BYTES || position <= log.keptFrom) break;
  }
  const cutter = new LineCutter();
  let lines = 0;
  for await (const chunks of log.chunks(position)) lines += cutter.push(chunks.filter(wanted)).length;
  if (whole) lines += cutter.flush().length;
  return { position, skipLines: Math.max(0, lines - count) };
}

function feedsIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(LINE_FEED); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) count++;
  return count;
}
