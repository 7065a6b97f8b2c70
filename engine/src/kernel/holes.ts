// Where a file has data and where it has holes (lseek(2), SEEK_DATA and SEEK_HOLE).
import { bind, checked, lastErrno } from './libc.ts';

const cLseek = bind('int64_t lseek(int fd, int64_t offset, int whence)');
const SEEK_DATA = 3;
const SEEK_HOLE = 4;

/** The next piece of data at or after `from`: its start and end; null when only a hole follows. File systems that know no
 * holes say it is all data. */
export function nextData(fd: number, from: number, target: string): { start: number; end: number } | null {
  const start = cLseek(fd, from, SEEK_DATA);
  if (start < 0 && lastErrno() === 'ENXIO') return null;
  checked('lseek', target, start);
  return { start, end: checked('lseek', target, cLseek(fd, start, SEEK_HOLE)) };
}
