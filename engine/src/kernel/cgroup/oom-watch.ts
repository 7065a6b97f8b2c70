// Tells of a container's OOM kills while it runs: by inotify on v2, by reading the counter again on v1.
import { watch as watchFile } from 'node:fs';
import { join } from 'node:path';
import { type ContainerPlace, placeDirectory } from './container-place.ts';
import { readOomKills } from './container-stats.ts';

/**
 * v1 tells by an eventfd, before the kill and not of the groups below; the counter says what was done, and costs 15 µs to
 * read.
 */
const V1_SWEEP_MS = 500;

/** Calls back with the sum of all kills; call the result to stop. Keeps no process alive. */
export function watchOom(place: ContainerPlace, told: (oomKills: number) => void): () => void {
  let last = readOomKills(place);
  const look = () => {
    const now = readOomKills(place);
    // Less: the group has gone.
    if (now <= last) return;
    last = now;
    told(now);
  };
  const { host } = place;
  if (host.flavour === 'v2' && host.unified !== null) {
    // kernfs notifies it as modified, also for kills in the groups below (cgroup-v2.rst, "memory.events").
    const file = join(placeDirectory({ mountPoint: host.unified }, place), 'memory.events');
    const watcher = watchFile(file, { persistent: false }, look);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  }
  const timer = setInterval(look, V1_SWEEP_MS);
  timer.unref();
  return () => clearInterval(timer);
}
