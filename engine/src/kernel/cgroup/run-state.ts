// Freezing, thawing and ending what runs in a group: by the v2 tree where there is one (hybrid too), else by the v1 freezer.
// All waits are bounded; nothing here removes a group.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { hierarchyOf } from '../../model/cgroup-host.ts';
import type { GroupName } from '../../model/cgroup-path.ts';
import { EngineError } from '../../model/engine-error.ts';
import { abortFuse } from '../fuse.ts';
import { reached, readGroupFile, readKeyed, readProcesses, walkGroups, writeGroupFile } from './files.ts';
import { type SandboxPlace, groupDirectory } from './trees.ts';

/** A frozen or ended sandbox is reached in milliseconds; a process in an uninterruptible wait may take longer. */
const BOUND_MS = 10_000;

/** A learner decides how many groups there are; his kernel limits keep it far below this. */
const MOST_GROUPS = 8192;

/** What ends and halts the processes of one sandbox. */
export interface RunState {
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  kill(group: GroupName): Promise<void>;
  members(group: GroupName): number[];
}

export function runStateOf(place: SandboxPlace): RunState {
  const { host } = place;
  if (host.unified !== null) return unifiedState(place, host.unified);
  const freezer = hierarchyOf(host, 'freezer');
  if (freezer) return freezerState(place, freezer.mountPoint);
  throw new EngineError(
    'unavailable',
    'Cannot run sandboxes: this host has neither a cgroup v2 tree nor the v1 freezer; mount one of them',
  );
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

function membersBelow(directory: string): number[] {
  return [...new Set(walkGroups(directory, MOST_GROUPS).flatMap(readProcesses))];
}

function slow(place: SandboxPlace, action: string, left: readonly number[]): EngineError {
  const who = left.length > 0 ? `: processes ${left.slice(0, 10).join(', ')} are in the way` : '';
  return new EngineError(
    'unavailable',
    `Cannot ${action} sandbox "${place.sandbox}" within ${BOUND_MS / 1000} s${who}; the host is overloaded, or a device does not answer`,
  );
}

/** cgroup.freeze and cgroup.kill work on any v2 group, with or without controllers. */
function unifiedState(place: SandboxPlace, mountPoint: string): RunState {
  const at = (group: GroupName) => groupDirectory({ mountPoint }, place, group);
  const event = (group: GroupName, key: string) => readKeyed(join(at(group), 'cgroup.events')).get(key) ?? 0;
  const members = (group: GroupName) => membersBelow(at(group));

  async function settle(frozen: 0 | 1, action: string) {
    writeGroupFile(join(at('inner'), 'cgroup.freeze'), String(frozen));
    if (await reached(BOUND_MS, () => event('inner', 'frozen') === frozen)) return;
    writeGroupFile(join(at('inner'), 'cgroup.freeze'), '0'); // or those that do stand still would for ever
    throw slow(place, action, members('inner'));
  }
  return {
    freeze: () => settle(1, 'freeze'),
    thaw: () => settle(0, 'thaw'),
    members,
    async kill(group) {
      // Kills frozen processes too, and no fork escapes it (kernel 5.14).
      writeGroupFile(join(at(group), 'cgroup.kill'), '1');
      endFuse(at('inner')); // after it: a process that has been killed connects no more
      if (!(await reached(BOUND_MS, () => event(group, 'populated') === 0))) throw slow(place, 'end', members(group));
    },
  };
}

/** The v1 way: what is frozen cannot fork, so every process of a frozen group can be signalled; then it is thawed to die. */
function freezerState(place: SandboxPlace, mountPoint: string): RunState {
  const at = (group: GroupName) => groupDirectory({ mountPoint }, place, group);
  const state = (group: GroupName) => readGroupFile(join(at(group), 'freezer.state')).trim();
  const members = (group: GroupName) => membersBelow(at(group));

  async function freeze(group: GroupName) {
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
    freeze: () => freeze('inner'),
    async thaw() {
      writeGroupFile(join(at('inner'), 'freezer.state'), 'THAWED');
      if (!(await reached(BOUND_MS, () => state('inner') === 'THAWED'))) throw slow(place, 'thaw', members('inner'));
    },
    members,
    async kill(group) {
      for (let left = members(group), round = 0; left.length > 0; left = members(group), round += 1) {
        if (round === 20) throw slow(place, 'end', left);
        endFuse(at('inner'));
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

function signalKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // ESRCH: it ended by itself.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
