// A file that outputs are appended to, between two runs: where the next one begins, and what is still kept of those before.
import { fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { SysError } from '../model/engine-error.ts';
import { beginChunk, BLOCK_BYTES, blockOf, endOfBlock } from '../model/output-chunks.ts';
import { bind } from './libc.ts';

const lseek = bind('int64 lseek(int fd, int64 offset, int whence)');
const SEEK_DATA = 3;

/** Position after the last whole chunk. A crash of the machine may have torn the one after it. */
export function outputEnd(fd: number): number {
  const { size } = fstatSync(fd);
  const last = blockOf(Math.max(0, size - 1));
  const block = Buffer.alloc(Math.min(BLOCK_BYTES, size - last));
  return last + endOfBlock(block.subarray(0, readSync(fd, block, 0, block.length, last)));
}

/** The oldest block that was not given back to the file system (lseek(2): the first byte that is no hole). */
export function outputKeptFrom(fd: number): number {
  const at = lseek(fd, 0, SEEK_DATA);
  return at < 0 ? 0 : blockOf(at); // ENXIO: nothing but a hole; EINVAL: a file system that knows no holes
}

/** Marks that a run begins, and says where. Throws SysError when the disk is full. */
export function beginRun(fd: number): { beginBytes: number; writtenBytes: number; keptFromBytes: number } {
  const beginBytes = outputEnd(fd);
  const mark = beginChunk(BigInt(Date.now()) * 1_000_000n);
  try {
    ftruncateSync(fd, beginBytes);
    writeSync(fd, mark, 0, mark.length, beginBytes);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SysError(
      'write',
      code ?? 'EIO',
      'log',
      code === 'ENOSPC' ? 'the disk is full; free some space' : undefined,
    );
  }
  return { beginBytes, writtenBytes: beginBytes + mark.length, keptFromBytes: outputKeptFrom(fd) };
}
