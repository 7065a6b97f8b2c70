// One lock for the whole host: flock(2) on a file. It ends with the process that holds it, however that ends.
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, SysError } from '../model/engine-error.ts';
import { bind, checked, lastErrno } from './libc.ts';

const O_RDWR_CREAT_CLOEXEC = 0o2 | 0o100 | 0o2000000;
const LOCK_EX = 2;
const LOCK_NB = 4;
const RETRY_MS = 20;

const cOpen = bind('int open(const char *path, int flags, unsigned int mode)');
const cFlock = bind('int flock(int fd, int operation)');
const cClose = bind('int close(int fd)');

/**
 * Runs `action` while no other process on the host holds the lock at `path`. The file stays: removing it would let two
 * processes hold locks on two files of one name. Throws `unavailable` when somebody holds it for longer than `waitMs`.
 */
export async function withFileLock<T>(path: string, action: () => T | Promise<T>, waitMs = 10_000): Promise<T> {
  const fd = checked('open', path, cOpen(path, O_RDWR_CREAT_CLOEXEC, 0o600));
  try {
    const until = Date.now() + waitMs;
    // LOCK_NB and a pause: waiting inside flock(2) would stop the main loop.
    while (cFlock(fd, LOCK_EX | LOCK_NB) < 0) {
      const errno = lastErrno();
      if (errno !== 'EAGAIN' && errno !== 'EINTR') throw new SysError('flock', errno, path);
      if (Date.now() > until)
        throw new EngineError('unavailable', `Cannot lock "${path}": another process has held it for ${waitMs} ms`);
      await sleep(RETRY_MS);
    }
    return await action();
  } finally {
    cClose(fd);
  }
}
