// The thread that waits: blocks in epoll_wait and tells the main loop which descriptors are ready. Never reads them.
import { parentPort, workerData } from 'node:worker_threads';
import { Epoll } from './epoll.ts';
import type { PollerData } from './poller.ts';

const { epollFd } = workerData as PollerData;
const epoll = new Epoll(epollFd);
for (let running = true; running;) {
  const ready = epoll.wait(-1);
  running = !ready.some((each) => each.token === 0);
  const told = ready.filter((each) => each.token !== 0);
  if (told.length > 0) parentPort?.postMessage(told);
}
