// The observed state as the browser holds it: applies patches in order, asks for a snapshot after a gap, keeps ended
// processes on the sheet for a while. Publishes at most once a frame. Pure but for the clock and the frame it is given.
import {
  applyPatch,
  type Namespaces,
  type ObservedExit,
  type ObservedProcess,
  type Patch,
  type Snapshot,
} from '@drydock/protocol/observed.ts';

/** How long an ended process stays drawn: --d-linger. */
export const LINGER_MS = 4000;
/** More than these at once (a fork bomb) are not drawn. */
const MAX_GHOSTS = 40;

/** A process that has ended and lingers. */
export interface Ghost {
  process: ObservedProcess;
  exit: ObservedExit;
  untilMs: number;
}

export interface ScopeState {
  snapshot: Snapshot;
  ghosts: readonly Ghost[];
}

export interface ScopeFeed {
  snapshot(snapshot: Snapshot): void;
  patch(patch: Patch): void;
  stop(): void;
}

interface Clock {
  now: () => number;
  /** Calls back with the next frame. */
  frame: (callback: () => void) => void;
  after: (ms: number, callback: () => void) => () => void;
}

/** publish gets the newest state; onGap asks the server for a snapshot, whose answer is given to snapshot(). */
export function scopeFeed(publish: (state: ScopeState) => void, onGap: () => void, clock: Clock): ScopeFeed {
  let current: Snapshot | null = null;
  let ghosts: Ghost[] = [];
  let waiting = false;
  let asked = false;
  let stopped = false;
  let cancelSweep: (() => void) | null = null;

  const schedule = () => {
    if (waiting || stopped) return;
    waiting = true;
    clock.frame(() => {
      waiting = false;
      if (current && !stopped) publish({ snapshot: current, ghosts });
    });
  };
  const sweep = () => {
    cancelSweep = null;
    const now = clock.now();
    const kept = ghosts.filter((ghost) => ghost.untilMs > now);
    if (kept.length !== ghosts.length) {
      ghosts = kept;
      schedule();
    }
    const first = ghosts[0];
    if (first && !stopped) cancelSweep = clock.after(first.untilMs - now, sweep);
  };

  return {
    snapshot(snapshot) {
      asked = false;
      current = snapshot;
      const alive = new Set(snapshot.processes.map((process) => process.key));
      ghosts = ghosts.filter((ghost) => !alive.has(ghost.process.key));
      schedule();
    },
    patch(patch) {
      if (!current || asked) return;
      if (patch.seq <= current.seq) return;
      if (patch.seq !== current.seq + 1) {
        asked = true;
        onGap();
        return;
      }
      const before = new Map(current.processes.map((process) => [process.key, process]));
      current = applyPatch(current, patch);
      const alive = new Set(current.processes.map((process) => process.key));
      const untilMs = clock.now() + LINGER_MS;
      const fresh = patch.exits.flatMap((exit) => {
        if (alive.has(exit.key)) return [];
        const process = before.get(exit.key) ?? fromExit(exit, current);
        return process ? [{ process, exit, untilMs }] : [];
      });
      const revived = new Set(fresh.map((ghost) => ghost.process.key));
      ghosts = [...ghosts.filter((ghost) => !revived.has(ghost.process.key)), ...fresh].slice(-MAX_GHOSTS);
      if (fresh.length > 0 && !cancelSweep) cancelSweep = clock.after(LINGER_MS, sweep);
      schedule();
    },
    stop() {
      stopped = true;
      cancelSweep?.();
    },
  };
}

/** A process that came and went between two patches: what its exit tells of it; null when that is nothing. */
function fromExit(exit: ObservedExit, state: Snapshot | null): ObservedProcess | null {
  if (exit.pids.length === 0 || !state) return null;
  const unknown: Namespaces = {
    pid: null,
    mnt: null,
    net: null,
    uts: null,
    ipc: null,
    user: null,
    cgroup: null,
    time: null,
  };
  return {
    key: exit.key,
    hostPid: 1,
    pids: exit.pids,
    parentKey: exit.parentKey,
    comm: exit.comm,
    argv: [exit.comm],
    state: 'X',
    startedAtMs: exit.atMs,
    uidInside: null,
    uidOutside: null,
    namespaces: { ...unknown, pid: exit.pidNamespace },
    pidForChildren: null,
    timeForChildren: null,
    cgroup: '',
    terminal: null,
    controllingTty: null,
    rootInode: null,
    mounts: null,
  };
}
