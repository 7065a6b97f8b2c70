// What streams, as the API calls it: finds the container, and connects the client to it.
import type { StreamsBackend } from '../api/docker/streams-backend.ts';
import { unreadBytes } from '../kernel/unread.ts';
import { EngineError } from '../model/engine-error.ts';
import { attach } from './attach.ts';
import type { ContainerFinder } from './container.ts';
import type { Events } from './events.ts';
import type { Execs } from './execs.ts';
import { logs } from './logs.ts';
import { sampleStats } from './stats.ts';

export function streamsBackend(parts: {
  readonly containers: ContainerFinder;
  readonly events: Events;
  readonly execs: Execs;
  readonly cgroupVersion: '1' | '2';
}): StreamsBackend {
  const { containers, events, execs, cgroupVersion } = parts;
  return {
    attach: (idOrName, asked) => {
      const container = containers.find(idOrName);
      return attach(container, asked, (action) => container.publish(action));
    },
    resize: async (idOrName, cols, rows) => {
      const container = containers.find(idOrName);
      if (!container.running) throw new EngineError('conflict', `container ${container.id} is not running`);
      await container.running.kept.resize(cols, rows);
      container.publish('resize', { height: String(rows), width: String(cols) });
    },
    logs: (idOrName, asked, signal) => {
      const container = containers.find(idOrName);
      return { terminal: container.record.config.Tty, pieces: logs(container, asked, signal) };
    },
    stats: (idOrName) => {
      const container = containers.find(idOrName);
      return { id: container.id, name: container.name, sample: sampleStats(container, cgroupVersion) };
    },
    unreadBytes,
    events,
    exec: execs,
  };
}
