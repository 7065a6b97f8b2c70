// Output chunks as lines with a time, as `logs` shows them. A line is cut where it gets long, so that one without an end
// does not grow in memory. Pure.
import type { OutputChunk } from './output-chunks.ts';

export interface LogLine {
  readonly stream: 'stdout' | 'stderr';
  /** When its first byte came. */
  readonly atNs: bigint;
  /** With its line feed; without one it was cut, or is the last of a run. */
  readonly bytes: Uint8Array;
}

/** Docker's, too. */
const MOST_LINE_BYTES = 16_384;
const LINE_FEED = 10;

interface Partial {
  readonly atNs: bigint;
  readonly parts: Uint8Array[];
  length: number;
}

export class LineCutter {
  readonly #partial = new Map<LogLine['stream'], Partial>();

  /** Lines that are whole now, in the order in which they became so. */
  push(chunks: readonly OutputChunk[]): LogLine[] {
    const lines: LogLine[] = [];
    for (const { stream, atNs, bytes } of chunks)
      if (stream === 'begin') lines.push(...this.flush());
      else this.#cut(stream, atNs, bytes, lines);
    return lines;
  }

  /** What has no line feed yet. */
  flush(): LogLine[] {
    const lines = [...this.#partial].map(([stream, partial]) => whole(stream, partial));
    this.#partial.clear();
    return lines;
  }

  #cut(stream: LogLine['stream'], atNs: bigint, bytes: Uint8Array, lines: LogLine[]): void {
    let at = 0;
    while (at < bytes.length) {
      const partial = this.#partial.get(stream) ?? { atNs, parts: [], length: 0 };
      const room = MOST_LINE_BYTES - partial.length;
      const feed = bytes.indexOf(LINE_FEED, at);
      const end = Math.min(feed < 0 ? bytes.length : feed + 1, at + room);
      partial.parts.push(bytes.subarray(at, end));
      partial.length += end - at;
      if (end - 1 === feed || partial.length === MOST_LINE_BYTES) {
        lines.push(whole(stream, partial));
        this.#partial.delete(stream);
      } else this.#partial.set(stream, partial);
      at = end;
    }
  }
}

function whole(stream: LogLine['stream'], { atNs, parts, length }: Partial): LogLine {
  const [only] = parts;
  if (parts.length === 1 && only) return { stream, atNs, bytes: only };
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { stream, atNs, bytes };
}
