// syncfs(2): all that was written to one file system is on its disk when this returns. In a thread: it takes as long as
// the disk does.
import { AT_FDCWD, O_DIRECTORY, O_RDONLY, closeFd, openAt } from './at.ts';
import { bytes } from './byte-string.ts';
import { bindInThread } from './libc.ts';

const cSyncfs = bindInThread('int syncfs(int fd)');

/** Of the file system that holds this directory. Throws SysError: EIO, or ENOSPC and EDQUOT of what was put off. */
export async function syncFilesystem(directory: string): Promise<void> {
  const fd = openAt(AT_FDCWD, bytes(directory), O_RDONLY | O_DIRECTORY);
  try {
    await cSyncfs(directory, fd);
  } finally {
    closeFd(fd);
  }
}

/**
 * Sends what is written to the disk while the writer goes on, so that the last syncfs has little left to wait for.
 * Returns a function that stops it and waits for that last one.
 */
export function syncAlong(directory: string, everyMs = 50): { finish(): Promise<void>; stop(): Promise<void> } {
  let running: Promise<void> | null = null;
  let failure: unknown = null;
  const timer = setInterval(() => {
    running ??= syncFilesystem(directory)
      .catch((error: unknown) => {
        failure ??= error;
      })
      .finally(() => {
        running = null;
      });
  }, everyMs);
  const stop = async () => {
    clearInterval(timer);
    await running;
  };
  return {
    stop,
    async finish() {
      await stop();
      if (failure !== null) throw failure;
      await syncFilesystem(directory);
    },
  };
}
