// A container's log as a file: block by block, from any block on, without its keeper.
import { closeSync, openSync, read } from 'node:fs';
import { promisify } from 'node:util';
import { outputEnd, outputKeptFrom } from '../kernel/output-file.ts';
import { BLOCK_BYTES, blockAfter, blockOf, type OutputChunk, readChunks } from '../model/output-chunks.ts';

const readAt = promisify(read);

export class LogFile {
  /** Position of the oldest block. */
  readonly keptFrom: number;
  /** Position after the last chunk, when it was opened. */
  readonly end: number;
  readonly #fd: number;

  private constructor(fd: number, end: number) {
    this.#fd = fd;
    this.end = end;
    this.keptFrom = Math.min(outputKeptFrom(fd), blockOf(end));
  }

  /** `end`: what its keeper says, while it runs. Null: there is no log yet. */
  static open(path: string, end?: number): LogFile | null {
    let fd: number;
    try {
      fd = openSync(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
    return new LogFile(fd, end ?? outputEnd(fd));
  }

  /** The chunks of the block at this position, from there on; none where it was given back meanwhile. */
  async chunksAt(position: number): Promise<OutputChunk[]> {
    const length = Math.min(blockAfter(position), this.end) - position;
    if (length <= 0) return [];
    const bytes = Buffer.allocUnsafeSlow(Math.min(length, BLOCK_BYTES));
    let count = 0;
    while (count < bytes.length) {
      const { bytesRead } = await readAt(this.#fd, bytes, count, bytes.length - count, position + count);
      if (bytesRead === 0) break;
      count += bytesRead;
    }
    return readChunks(bytes.subarray(0, count)).chunks;
  }

  /** From this chunk or block on to the end, a block at a time. */
  async *chunks(from: number): AsyncGenerator<OutputChunk[]> {
    for (let at = from; at < this.end; at = blockAfter(at)) yield await this.chunksAt(at);
  }

  close(): void {
    closeSync(this.#fd);
  }
}
