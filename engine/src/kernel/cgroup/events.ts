// What happens to a sandbox's groups: populated, frozen, OOM kills; by inotify where the kernel gives file events.
import { watch as watchFile } from 'node:fs';
import { join } from 'node:path';
import { readKeyed } from './files.ts';
import type { GroupEvents } from './sandbox-group.ts';
import { type SandboxPlace, groupDirectory } from './trees.ts';
import { v1OomKills } from './v1.ts';

/** v1 counts OOM kills in files that give no event without an eventfd: they are read again this often. */
const V1_SWEEP_MS = 500;

export function readEvents(place: SandboxPlace): GroupEvents {
  const { host } = place;
  const unified = host.unified === null ? null : groupDirectory({ mountPoint: host.unified }, place, 'inner');
  const core = unified === null ? new Map<string, number>() : readKeyed(join(unified, 'cgroup.events'));
  const oomKills =
    host.flavour === 'v2' && unified !== null
      ? (readKeyed(join(unified, 'memory.events')).get('oom_kill') ?? 0)
      : v1OomKills(place);
  return { populated: core.get('populated') !== 0, frozen: core.get('frozen') === 1, oomKills };
}

export function watchEvents(place: SandboxPlace, changed: (events: GroupEvents) => void): () => void {
  let last = readEvents(place);
  const look = () => {
    const now = readEvents(place);
    if (now.populated === last.populated && now.frozen === last.frozen && now.oomKills === last.oomKills) return;
    last = now;
    changed(now);
  };
  const stops: (() => void)[] = [];
  const { host } = place;
  if (host.unified !== null) {
    const inner = groupDirectory({ mountPoint: host.unified }, place, 'inner');
    // kernfs notifies these files as modified (cgroup-v2.rst, "cgroup.events"); persistent: false lets the process end.
    for (const file of host.flavour === 'v2' ? ['cgroup.events', 'memory.events'] : ['cgroup.events']) {
      const watcher = watchFile(join(inner, file), { persistent: false }, look);
      watcher.on('error', () => watcher.close());
      stops.push(() => watcher.close());
    }
  }
  if (host.flavour !== 'v2') {
    const timer = setInterval(look, V1_SWEEP_MS);
    timer.unref();
    stops.push(() => clearInterval(timer));
  }
  return () => {
    for (const stop of stops) stop();
  };
}
