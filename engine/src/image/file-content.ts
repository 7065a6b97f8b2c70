// The content of a file as it goes into an archive: exactly so many bytes, holes as zeros that nobody reads from the disk.
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { O_NONBLOCK, O_NOFOLLOW, O_PATH, O_RDONLY, closeFd, openAt, readUpTo, withFd } from '../kernel/at.ts';
import { type ByteString, shown } from '../kernel/byte-string.ts';
import { nextData } from '../kernel/holes.ts';
import { reopened } from '../kernel/rooted.ts';
import { S_IFREG, fileType, statOf } from '../kernel/stat.ts';
import { SysError } from '../model/engine-error.ts';

const readAsync = promisify(read);
/** Up to this size a file is read at once, on this thread: a turn of the loop costs more. */
const AT_ONCE_BYTES = 65536;
const PIECE_BYTES = 1 << 20;
const ZEROS = Buffer.alloc(PIECE_BYTES);

/** Opens a regular file that may have become something else by now: a device or fifo is never opened for reading. */
export function openRegular(directory: number, name: ByteString): number {
  return withFd(openAt(directory, name, O_PATH | O_NOFOLLOW), (fd) => {
    if (fileType(statOf(fd, shown(name))) !== S_IFREG)
      throw new SysError('open', 'ESTALE', shown(name), 'it was replaced while it was read');
    return reopened(fd, O_RDONLY | O_NONBLOCK);
  });
}

/** Closes the descriptor. A file that grows is cut, one that shrinks is filled up with zeros: its size stands in the header
 * already. */
export async function* fileContent(fd: number, size: number, target: string): AsyncGenerator<Buffer> {
  try {
    if (size === 0) return;
    if (size <= AT_ONCE_BYTES) {
      const content = Buffer.alloc(size);
      readUpTo(fd, content, 0, target);
      yield content;
      return;
    }
    for (let at = 0; at < size;) {
      const data = nextData(fd, at, target);
      const dataAt = Math.min(data?.start ?? size, size);
      if (dataAt > at) {
        const zeros = Math.min(dataAt - at, PIECE_BYTES);
        yield ZEROS.subarray(0, zeros);
        at += zeros;
        continue;
      }
      const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size - at, (data?.end ?? size) - at));
      const { bytesRead } = await readAsync(fd, piece, 0, piece.length, at);
      if (bytesRead === 0) {
        yield* zeros(size - at);
        return;
      }
      yield piece.subarray(0, bytesRead);
      at += bytesRead;
    }
  } finally {
    closeFd(fd);
  }
}

function* zeros(count: number): Generator<Buffer> {
  for (let left = count; left > 0; left -= PIECE_BYTES) yield ZEROS.subarray(0, Math.min(left, PIECE_BYTES));
}
