// From what /proc says of one process to what the learner's host (the sandbox) would say of it.
import { toInside, type IdExtent } from '../kernel/proc/id-map.ts';
import type { CgroupLine } from '../kernel/proc/cgroup.ts';
import { ttyName } from '../kernel/proc/stat.ts';
import type { ProcessView } from '../kernel/proc/source.ts';
import type { Namespaces, ObservedProcess } from '../model/observed.ts';
import type { Clock } from './clock.ts';
import { isOver, type Identity, type Tracked } from './tracked.ts';

/** What the numbers of a sandbox are relative to. */
export interface Frame {
  /** How many pid namespaces lie around the sandbox's own: so many numbers of NSpid are cut. */
  level: number;
  namespaces: Namespaces;
  /** As the daemon reads it: kernel ids to the sandbox's. */
  uidMap: IdExtent[];
  clock: Clock;
}

export const NO_NAMESPACES: Namespaces = {
  pid: null,
  mnt: null,
  net: null,
  uts: null,
  ipc: null,
  user: null,
  cgroup: null,
  time: null,
};

export function readNamespaces(view: ProcessView, pid: number | null): Namespaces {
  return {
    pid,
    mnt: view.namespace('mnt'),
    net: view.namespace('net'),
    uts: view.namespace('uts'),
    ipc: view.namespace('ipc'),
    user: view.namespace('user'),
    cgroup: view.namespace('cgroup'),
    time: view.namespace('time'),
  };
}

export type Looks = Pick<
  ObservedProcess,
  'namespaces' | 'pidForChildren' | 'timeForChildren' | 'rootInode' | 'uidInside'
>;

const NO_LOOKS: Looks = {
  namespaces: NO_NAMESPACES,
  pidForChildren: null,
  timeForChildren: null,
  rootInode: null,
  uidInside: null,
};

/** All that a look at a living process gives, beside its identity; sets argv. `lines` is null when they can't be read. */
export function look(
  view: ProcessView,
  tracked: Tracked,
  identity: Identity,
  frame: Frame,
): Looks & { lines: CgroupLine[] | null } {
  tracked.argv = view.argv() ?? tracked.argv;
  const namespaces = readNamespaces(view, tracked.pidNamespace);
  // Maps of other namespaces are not kept: the kernel uses inode numbers again.
  const map = namespaces.user === frame.namespaces.user ? frame.uidMap : (view.uidMap() ?? []);
  return {
    namespaces,
    pidForChildren: view.namespace('pid_for_children'),
    timeForChildren: view.namespace('time_for_children'),
    rootInode: view.root(),
    uidInside: toInside(map, identity.status.uids[1] ?? -1),
    lines: view.cgroup(),
  };
}

/** The sandbox's view of a process. Without `looks`: it lived too briefly for more than its identity, or is a zombie. */
export function compose(
  tracked: Tracked,
  identity: Identity,
  frame: Frame,
  parentKey: string | null,
  looks?: Looks,
): ObservedProcess {
  const { stat, status } = identity;
  const before = tracked.told;
  const zombie = isOver(stat);
  // A zombie has left its namespaces: it is shown with those it had.
  const shown: Looks = (zombie ? before : null) ??
    looks ?? { ...NO_LOOKS, namespaces: { ...NO_NAMESPACES, pid: tracked.pidNamespace } };
  return {
    key: tracked.key,
    hostPid: tracked.pid,
    pids: status.nspid.slice(frame.level),
    parentKey,
    comm: stat.comm,
    argv: tracked.argv,
    state: stat.state,
    startedAtMs: before?.startedAtMs ?? frame.clock.started(stat.startTicks),
    uidInside: shown.uidInside,
    uidOutside: toInside(frame.uidMap, status.uids[1] ?? -1),
    namespaces: shown.namespaces,
    pidForChildren: shown.pidForChildren,
    timeForChildren: shown.timeForChildren,
    cgroup: tracked.cgroup,
    terminal: null,
    controllingTty: ttyName(stat.ttyNr),
    rootInode: shown.rootInode,
    mounts: before?.mounts ?? null,
  };
}
