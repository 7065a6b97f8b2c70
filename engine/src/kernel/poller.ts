// Readiness of kernel descriptors that Node's own loop can't wait for (netlink, pidfds, inotify, eventfds, mountinfo):
// one worker thread blocks in epoll_wait, the main loop never does. Who watches reads, without blocking.
import { EPOLL, Epoll, closeDescriptor, eventfd, signalEventfd, type Ready } from './epoll.ts';
import { startWorker } from './worker-thread.ts';

export interface PollerData {
  epollFd: number;
}

export interface Watched {
  /** Ends the watch; `ready` is not called again. Call it before closing the descriptor. */
  stop(): void;
}

export interface Poller {
  /**
   * Calls `ready` on the main loop when `fd` is readable (or `priority`: EPOLLPRI, as for /proc/PID/mountinfo), with the
   * EPOLL* bits. Once only until `ready` has returned or its promise is settled, then again while it is still readable.
   * A rejection ends the watch and is thrown as an uncaught exception: catch what can be expected.
   */
  watch(fd: number, ready: (events: number) => void | Promise<void>, interest?: 'readable' | 'priority'): Watched;
  /** Ends the thread. Watched descriptors stay open: they belong to who watches. */
  close(): Promise<void>;
}

/** Starts the thread. It keeps the process alive only while something is watched. */
export function createPoller(): Poller {
  const epoll = new Epoll();
  const wakeFd = eventfd();
  epoll.add(wakeFd, 0, EPOLL.in);
  const data: PollerData = { epollFd: epoll.fd };
  const worker = startWorker(new URL('./poller.worker.ts', import.meta.url), import.meta.url, data, 'drydock-poller');
  const watches = new Map<number, (events: number) => Promise<void>>();
  let nextToken = 1;

  worker.on('message', (ready: Ready[]) => {
    for (const { token, events } of ready) void watches.get(token)?.(events);
  });
  // A thread inside a system call can't be ended by exit() or terminate(): both would wait for it for ever.
  const wake = () => signalEventfd(wakeFd);
  process.once('exit', wake);
  worker.unref();

  return {
    watch(fd, ready, interest = 'readable') {
      const token = nextToken++;
      // One shot: the kernel tells once and is asked again when it was dealt with, so a busy descriptor can't flood us.
      const bits = (interest === 'readable' ? EPOLL.in : EPOLL.pri) | EPOLL.oneshot;
      watches.set(token, async (events) => {
        await ready(events);
        if (watches.has(token)) epoll.modify(fd, token, bits);
      });
      epoll.add(fd, token, bits);
      worker.ref();
      return {
        stop() {
          if (!watches.delete(token)) return;
          epoll.remove(fd);
          if (watches.size === 0) worker.unref();
        },
      };
    },
    async close() {
      watches.clear();
      process.off('exit', wake);
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      worker.ref();
      wake();
      await ended;
      epoll.close();
      closeDescriptor(wakeFd);
    },
  };
}
