// Freezing, thawing and ending what runs in a group: by the v2 tree where there is one (hybrid too), else by the v1 freezer.
// All waits are bounded; nothing here removes a group.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupHost, hierarchyOf } from '../../model/cgroup-host.ts';
import { EngineError } from '../../model/engine-error.ts';
import { abortFuse } from '../fuse.ts';
import { processesBelow, reached, readGroupFile, readKeyed, walkGroups, writeGroupFile } from './files.ts';

/** A frozen or ended group is reached in milliseconds; a process in an uninterruptible wait may take longer. */
const BOUND_MS = 10_000;

/** Who runs in a group decides how many there are below it; a learner's kernel limits keep it far below this. */
const MOST_GROUPS = 8192;

/** Groups whose processes are halted and ended together; `G` are their names below the place. */
export interface RunPlace<G extends string> {
  readonly host: CgroupHost;
  /** For messages: `sandbox "anna"`. */
  readonly what: string;
  directory(mountPoint: string, group: G): string;
  /** The group that is frozen and thawed. */
  readonly halted: G;
  /** Whether it may be delegated to ids of its own, whose FUSE file systems then end with it. */
  readonly endsFuse: boolean;
}

/** What ends and halts the processes of a place. */
export interface RunState<G extends string> {
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  isFrozen(): boolean;
  kill(group: G): Promise<void>;
  members(group: G): number[];
}

/** The tree by which processes are halted and ended. Throws `unavailable` where there is none. */
export function runTree(host: CgroupHost): { readonly version: 1 | 2; readonly mountPoint: string } {
  if (host.unified !== null) return { version: 2, mountPoint: host.unified };
  const freezer = hierarchyOf(host, 'freezer');
  if (freezer) return { version: 1, mountPoint: freezer.mountPoint };
  throw new EngineError(
    'unavailable',
    'Cannot run sandboxes and containers: this host has neither a cgroup v2 tree nor the v1 freezer; mount one of them',
  );
}

export function runStateOf<G extends string>(place: RunPlace<G>): RunState<G> {
  const { version, mountPoint } = runTree(place.host);
  return version === 2 ? unifiedState(place, mountPoint) : freezerState(place, mountPoint);
}

const OWNED_IDS = 65_536;

/**
 * Ends the learner's FUSE file systems: who waits for one whose server never answers is beyond SIGKILL and the freezer, and
 * would keep his sandbox from being ended. The owner is who `inner` was delegated to; the host's own ids are left alone.
 */
function endFuse(inner: string): void {
  const owner = statSync(inner, { throwIfNoEntry: false })?.uid ?? 0;
  if (owner >= OWNED_IDS) abortFuse(owner, OWNED_IDS);
}

function slow(place: RunPlace<string>, action: string, left: readonly number[]): EngineError {
  const who = left.length > 0 ? `: processes ${left.slice(0, 10).join(', ')} are in the way` : '';
  return new EngineError(
    'unavailable',
    `Cannot ${action} ${place.what} within ${BOUND_MS / 1000} s${who}; the host is overloaded, or a device does not answer`,
  );
}

/** cgroup.freeze and cgroup.kill work on any v2 group, with or without controllers. */
function unifiedState<G extends string>(place: RunPlace<G>, mountPoint: string): RunState<G> {
  const { halted } = place;
  const at = (group: G) => place.directory(mountPoint, group);
  const event = (group: G, key: string) => readKeyed(join(at(group), 'cgroup.events')).get(key) ?? 0;
  const members = (group: G) => processesBelow(at(group));

  async function settle(frozen: 0 | 1, action: string) {
    writeGroupFile(join(at(halted), 'cgroup.freeze'), String(frozen));
    if (await reached(BOUND_MS, () => event(halted, 'frozen') === frozen)) return;
    writeGroupFile(join(at(halted), 'cgroup.freeze'), '0'); // or those that do stand still would for ever
    throw slow(place, action, members(halted));
  }
  return {
    freeze: () => settle(1, 'freeze'),
    thaw: () => settle(0, 'thaw'),
    isFrozen: () => event(halted, 'frozen') === 1,
    members,
    async kill(group) {
      // Kills frozen processes too, and no fork escapes it (kernel 5.14).
      writeGroupFile(join(at(group), 'cgroup.kill'), '1');
      if (place.endsFuse) endFuse(at(halted)); // after it: a process that has been killed connects no more
      if (!(await reached(BOUND_MS, () => event(group, 'populated') === 0))) throw slow(place, 'end', members(group));
    },
  };
}

/** The v1 way: what is frozen cannot fork, so every process of a frozen group can be signalled; then it is thawed to die. */
function freezerState<G extends string>(place: RunPlace<G>, mountPoint: string): RunState<G> {
  const { halted } = place;
  const at = (group: G) => place.directory(mountPoint, group);
  const state = (group: G) => readGroupFile(join(at(group), 'freezer.state')).trim();
  const members = (group: G) => processesBelow(at(group));

  async function freeze(group: G) {
    const frozen = await reached(BOUND_MS, () => {
      // Written again each time: a process that forked or woke in between leaves the group FREEZING until asked again.
      writeGroupFile(join(at(group), 'freezer.state'), 'FROZEN');
      return state(group) === 'FROZEN';
    });
    if (frozen) return;
    writeGroupFile(join(at(group), 'freezer.state'), 'THAWED');
    throw slow(place, 'freeze', members(group));
  }
  return {
    freeze: () => freeze(halted),
    async thaw() {
      writeGroupFile(join(at(halted), 'freezer.state'), 'THAWED');
      if (!(await reached(BOUND_MS, () => state(halted) === 'THAWED'))) throw slow(place, 'thaw', members(halted));
    },
    isFrozen: () => existsSync(at(halted)) && state(halted) === 'FROZEN',
    members,
    async kill(group) {
      for (let left = members(group), round = 0; left.length > 0; left = members(group), round += 1) {
        if (round === 20) throw slow(place, 'end', left);
        if (place.endsFuse) endFuse(at(halted));
        await freeze(group);
        for (const pid of members(group)) signalKill(pid);
        thawBelow(at(group));
        await reached(BOUND_MS / 20, () => members(group).length === 0);
      }
      thawBelow(at(group));
    },
  };
}

/** A process that is frozen by v1 dies only when thawed, and the learner may have frozen groups of his own. */
function thawBelow(top: string): void {
  for (const directory of walkGroups(top, MOST_GROUPS)) {
    const file = join(directory, 'freezer.state');
    try {
      if (readGroupFile(file).trim() !== 'THAWED') writeGroupFile(file, 'THAWED');
    } catch (error) {
      // The group went away between the listing and the reading.
      if (!(error instanceof EngineError) || !/ENOENT|ENODEV/.test(error.message)) throw error;
    }
  }
}

export function signalKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
