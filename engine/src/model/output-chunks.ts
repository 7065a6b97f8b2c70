// The form of an output that is appended to (a container's log, the pipes of an exec), as keep.c writes it: chunks in
// blocks. No chunk crosses from one block into the next, so reading can begin at any block: a reader that wants the
// end need not see the beginning, and old blocks can be given back to the file system. Pure.
import { EngineError } from './engine-error.ts';

/** Every block begins with a chunk. */
export const BLOCK_BYTES = 65_536;
/** A chunk's head, and what the length of every chunk is a multiple of: whatever is left of a block holds a head. */
const HEAD_BYTES = 16;
/** Numbers of a chunk's stream. `padding` fills a block; `begin` says that a run of the container begins. */
const STREAM = { padding: 0, stdout: 1, stderr: 2, begin: 3 } as const;

/** What a process wrote at once, to one of its streams. With a terminal everything is stdout. */
export interface OutputChunk {
  /** `begin`: no output, a new run begins here. */
  readonly stream: 'stdout' | 'stderr' | 'begin';
  /** Nanoseconds since 1970. */
  readonly atNs: bigint;
  readonly bytes: Uint8Array;
}

const chunkBytes = (length: number): number => HEAD_BYTES + Math.ceil(length / HEAD_BYTES) * HEAD_BYTES;

/** The start of the block that holds this position, and of the one after it. */
export const blockOf = (position: number): number => position - (position % BLOCK_BYTES);
export const blockAfter = (position: number): number => blockOf(position) + BLOCK_BYTES;

/** One head: null where nothing was written (a hole, the end). Throws when it is none. */
function head(view: DataView, at: number): { stream: number; atNs: bigint; length: number } | null {
  const atNs = view.getBigUint64(at, true);
  const stream = view.getUint32(at + 8, true);
  const length = view.getUint32(at + 12, true);
  if (atNs === 0n && stream === 0 && length === 0) return null;
  if (stream > STREAM.begin || length > BLOCK_BYTES - HEAD_BYTES)
    throw new EngineError('internal', `Cannot read output: a chunk says ${length} bytes of stream ${stream}`);
  return { stream, atNs, length };
}

/** Takes whole chunks off the front of an output that begins at a chunk; `used` says how many bytes they were. */
export function readChunks(bytes: Uint8Array): { readonly chunks: OutputChunk[]; readonly used: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: OutputChunk[] = [];
  let used = 0;
  while (bytes.length - used >= HEAD_BYTES) {
    const found = head(view, used);
    if (!found) break;
    const end = used + chunkBytes(found.length);
    if (end > bytes.length) break;
    if (found.stream !== STREAM.padding)
      chunks.push({
        stream: found.stream === STREAM.begin ? 'begin' : found.stream === STREAM.stderr ? 'stderr' : 'stdout',
        atNs: found.atNs,
        bytes: bytes.subarray(used + HEAD_BYTES, used + HEAD_BYTES + found.length),
      });
    used = end;
  }
  return { chunks, used };
}

/** Where the next chunk goes, given the last block of a file: what a crash tore off is written over. */
export function endOfBlock(block: Uint8Array): number {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  let used = 0;
  try {
    while (block.length - used >= HEAD_BYTES) {
      const found = head(view, used);
      const end = used + (found ? chunkBytes(found.length) : 0);
      if (!found || end > block.length) break;
      used = end;
    }
  } catch {
    // The first bytes that are no head are where the torn part begins.
  }
  return used;
}

/** The chunk that says a run begins. */
export function beginChunk(atNs: bigint): Uint8Array {
  const bytes = new Uint8Array(HEAD_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, atNs, true);
  view.setUint32(8, STREAM.begin, true);
  return bytes;
}
