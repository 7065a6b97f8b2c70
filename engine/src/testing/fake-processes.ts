// A machine of processes that only exists in memory: answers as /proc does, and tells events as the proc connector does.
import type { MountLine } from '../kernel/proc/mountinfo.ts';
import type { NamespaceLink } from '../kernel/proc/read.ts';
import type { ProcEvent } from '../kernel/proc-event.ts';
import type { ProcessSource, ProcessView } from '../kernel/proc/source.ts';
import { PF_EXITING, type ProcessState } from '../kernel/proc/stat.ts';
import type { NamespaceType } from '../model/namespace.ts';

export interface FakeProcess {
  pid: number;
  parent: FakeProcess | null;
  nspid: number[];
  state: ProcessState;
  threads: number;
  flags: number;
  comm: string;
  argv: string[];
  uid: number;
  namespaces: Record<NamespaceType, number>;
  pidForChildren: number;
  cgroup: string;
  startTicks: number;
  /** Counted up whenever it does something. */
  turns: number;
}

const INITIAL: Record<NamespaceType, number> = { pid: 1, mnt: 2, net: 3, uts: 4, ipc: 5, user: 6, cgroup: 7, time: 8 };

export class FakeMachine implements ProcessSource {
  readonly processes = new Map<number, FakeProcess>();
  readonly hostnames = new Map<number, string>();
  readonly mountTables = new Map<number, MountLine[]>();
  /** Pid namespace to the one around it, and its last number given. */
  readonly #outer = new Map<number, number | null>([[INITIAL.pid, null]]);
  readonly #lastPid = new Map<number, number>();
  readonly #inits = new Map<number, FakeProcess>();
  #nextInode = 100;
  nowMs = 1000;
  /** Told by the connector, not yet taken. */
  events: ProcEvent[] = [];
  opened = 0;
  /** Called before each reading of a process: a chance for it to go away in the middle. */
  beforeRead: (process: FakeProcess, link?: NamespaceLink) => void = () => {};
  /** Keys of all that have ended. */
  readonly ended: { key: string; cgroup: string }[] = [];

  constructor() {
    this.#birth(null, INITIAL, INITIAL.pid, '/', 'init');
  }

  newInode(): number {
    return this.#nextInode++;
  }
  #birth(
    parent: FakeProcess | null,
    namespaces: FakeProcess['namespaces'],
    pidNs: number,
    cgroup: string,
    comm: string,
  ): FakeProcess {
    const nspid: number[] = [];
    for (let level: number | null = pidNs; level !== null; level = this.#outer.get(level) ?? null) {
      const number = (this.#lastPid.get(level) ?? 0) + 1;
      this.#lastPid.set(level, number);
      nspid.unshift(number);
    }
    const process: FakeProcess = {
      pid: nspid[0] ?? 0,
      parent,
      nspid,
      state: 'S',
      threads: 1,
      flags: 0,
      comm,
      argv: [comm],
      uid: parent?.uid ?? 0,
      namespaces: { ...namespaces, pid: pidNs },
      pidForChildren: pidNs,
      cgroup,
      startTicks: Math.floor(this.nowMs / 10),
      turns: 1,
    };
    if (nspid.at(-1) === 1) this.#inits.set(pidNs, process);
    this.processes.set(process.pid, process);
    return process;
  }
  /** null: its pid namespace has lost its init, and nobody can be born there. */
  fork(parent: FakeProcess): FakeProcess | null {
    parent.turns++;
    const pidNs = parent.pidForChildren;
    const init = this.#inits.get(pidNs);
    if (init && init.state !== 'S') return null;
    const child = this.#birth(parent, parent.namespaces, pidNs, parent.cgroup, parent.comm);
    child.argv = [...parent.argv];
    this.events.push({ kind: 'fork', monotonicMs: this.nowMs, pid: child.pid, parentPid: parent.pid });
    return child;
  }
  exec(process: FakeProcess, comm: string): void {
    process.turns++;
    process.comm = comm;
    process.argv = [comm, '-x'];
    this.events.push({ kind: 'exec', monotonicMs: this.nowMs, pid: process.pid });
  }
  unshare(process: FakeProcess, type: NamespaceType): void {
    process.turns++;
    const inode = this.newInode();
    if (type === 'pid') {
      this.#outer.set(inode, process.namespaces.pid);
      process.pidForChildren = inode;
      return;
    }
    if (type === 'mnt') this.mountTables.set(inode, [...(this.mountTables.get(process.namespaces.mnt) ?? [])]);
    process.namespaces = { ...process.namespaces, [type]: inode };
  }
  mount(process: FakeProcess, mountPoint: string): void {
    process.turns++;
    const { mnt } = process.namespaces;
    const table = this.mountTables.get(mnt) ?? [];
    const at = { id: this.newInode(), parent: 1, device: '0:9', root: '/', mountPoint, options: 'rw', propagation: '' };
    this.mountTables.set(mnt, [...table, { ...at, type: 'tmpfs', source: 'none', superOptions: 'rw' }]);
  }
  /** Ends it; its children go to the init of its pid namespace. If it is that init, the kernel kills all members first. */
  exit(process: FakeProcess, code: number | null, signal: number | null = null): void {
    process.turns++;
    process.flags |= PF_EXITING;
    const isInit = this.#inits.get(process.namespaces.pid) === process && process.pid !== 1;
    if (isInit) {
      process.state = 'D';
      for (const other of this.processes.values())
        if (other !== process && other.state !== 'Z' && this.#isIn(other.namespaces.pid, process.namespaces.pid)) {
          if (this.#inits.get(other.namespaces.pid) === other) this.exit(other, null, 9);
          else if (this.processes.has(other.pid)) this.#end(other, null, 9);
        }
      for (const other of this.processes.values())
        if (other !== process && this.#isIn(other.namespaces.pid, process.namespaces.pid)) this.reap(other);
    }
    this.#end(process, code, signal);
  }
  #isIn(inode: number | null, outer: number): boolean {
    return inode === outer || (inode !== null && this.#isIn(this.#outer.get(inode) ?? null, outer));
  }
  #end(process: FakeProcess, code: number | null, signal: number | null): void {
    if (process.state === 'Z') return;
    process.state = 'Z';
    process.flags |= PF_EXITING;
    this.ended.push({ key: `${process.pid}:${process.startTicks}`, cgroup: process.cgroup });
    const heir = this.#inits.get(process.namespaces.pid) ?? null;
    for (const child of this.processes.values())
      if (child.parent === process) child.parent = heir && heir !== process ? heir : process.parent;
    const parentPid = process.parent?.pid ?? 0;
    this.events.push({ kind: 'exit', monotonicMs: this.nowMs, pid: process.pid, code, signal, parentPid });
  }
  /** Its parent waits for it. */
  reap(process: FakeProcess): void {
    if (process.state !== 'Z') return;
    this.processes.delete(process.pid);
    for (const child of this.processes.values()) if (child.parent === process) child.parent = process.parent;
  }
  takeEvents(): ProcEvent[] {
    return this.events.splice(0);
  }

  pids(): number[] {
    return [...this.processes.keys()];
  }
  open(pid: number): ProcessView | null {
    const process = this.processes.get(pid);
    if (process === undefined) return null;
    const alive = () => this.processes.get(pid) === process;
    const get = <T>(read: () => T, link?: NamespaceLink): T | null => {
      this.beforeRead(process, link);
      return alive() ? read() : null;
    };
    const reading = (read: () => string) => ({ read: () => get(read), close: () => void this.opened-- });
    this.opened++;
    return {
      stat: () => get(() => ({ ...process, ppid: process.parent?.pid ?? 0, ttyNr: 0 })),
      status: () =>
        get(() => ({
          ...process,
          uids: [process.uid, process.uid, process.uid, process.uid],
          gids: [0, 0, 0, 0],
          capBounding: null,
          capEffective: null,
          noNewPrivs: false,
          seccomp: 0,
        })),
      argv: () => get(() => (process.state === 'Z' ? [] : [...process.argv])),
      cgroup: () => get(() => [{ controllers: [''], path: process.cgroup }]),
      uidMap: () => get(() => [{ inside: 0, outside: 0, count: 65536 }]),
      namespace: (link) =>
        get(() => {
          if (link === 'time_for_children') return process.state === 'Z' ? null : process.namespaces.time;
          if (link === 'pid_for_children') {
            // namespaces(7): not readable until the first process is born there.
            const born = this.#lastPid.has(process.pidForChildren);
            return born && process.state !== 'Z' ? process.pidForChildren : null;
          }
          return process.state === 'Z' && link !== 'pid' && link !== 'user' ? null : process.namespaces[link];
        }, link),
      pidNamespaces: () => {
        const inodes: number[] = [];
        for (let inode: number | null = process.namespaces.pid; inode !== null; inode = this.#outer.get(inode) ?? null)
          inodes.push(inode);
        return alive() ? inodes : [];
      },
      root: () => get(() => '0:1:2'),
      mounts: () =>
        get(() =>
          (this.mountTables.get(process.namespaces.mnt) ?? []).map((mount) => ({ ...mount, pidNamespace: null })),
        ),
      activity: () => {
        this.opened++;
        return reading(() => `${process.turns}`);
      },
      hostname: () => {
        this.opened++;
        return reading(() => this.hostnames.get(process.namespaces.uts) ?? 'dock');
      },
      close: () => void this.opened--,
    };
  }
}

/** A sandbox on a fake machine: its first process, in namespaces of its own. */
export function fakeSandbox(machine: FakeMachine, instance: string, id: string): FakeProcess {
  const host = machine.processes.get(1);
  const keeper = host && machine.fork(host);
  if (!keeper) throw new Error('the fake machine has no first process');
  keeper.cgroup = `/drydock-${instance}/${id}/keepers`;
  for (const type of ['user', 'pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup'] as const) machine.unshare(keeper, type);
  const init = machine.fork(keeper);
  if (!init) throw new Error('the fake keeper could not fork');
  init.cgroup = `/drydock-${instance}/${id}/inner`;
  machine.exec(init, 'launch');
  return init;
}
