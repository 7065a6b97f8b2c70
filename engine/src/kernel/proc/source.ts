// What an observer asks of the kernel about processes, as an interface, and its real implementation over /proc.
import { readdirSync } from 'node:fs';
import { closeDescriptor } from '../epoll.ts';
import { hostnameOf } from '../uts.ts';
import type { CgroupLine } from './cgroup.ts';
import type { IdExtent } from './id-map.ts';
import type { MountLine } from './mountinfo.ts';
import { pidNamespaceShown } from './proc-mount.ts';
import {
  type NamespaceLink,
  type ProcessDirectory,
  openProcess,
  parentNamespace,
  readActivity,
  statFd,
} from './read.ts';
import type { Stat } from './stat.ts';
import type { Status } from './status.ts';

/** Something to read again and again, until `close`. */
export interface Reading {
  /** Null once the process is gone. */
  read(): string | null;
  close(): void;
}

/** One pinned process: every method answers for that very process, and null once it is gone. */
export interface ProcessView {
  stat(): Stat | null;
  status(): Status | null;
  argv(): string[] | null;
  cgroup(): CgroupLine[] | null;
  uidMap(): IdExtent[] | null;
  namespace(link: NamespaceLink): number | null;
  /** Inodes of its pid namespace and those around it, from the inside out. */
  pidNamespaces(): number[];
  /** "device:inode" of its root directory. */
  root(): string | null;
  /** Its mount table, with the pid namespace each visible proc mount shows. */
  mounts(): (MountLine & { pidNamespace: number | null })[] | null;
  /** See readActivity in read.ts. */
  activity(): Reading | null;
  hostname(): Reading | null;
  close(): void;
}

export interface ProcessSource {
  open(pid: number): ProcessView | null;
  /** All processes there are. */
  pids(): number[];
}

/** Deeper than the kernel nests (MAX_PID_NS_LEVEL is 32). */
const MAX_LEVELS = 40;
/** Of so many proc mounts of one table it is found out what they show. */
const MAX_PROC_MOUNTS = 16;

function pidNamespaces(directory: ProcessDirectory): number[] {
  const inodes: number[] = [];
  const own = directory.namespace('pid');
  let fd = directory.openNamespace('pid');
  if (own !== null) inodes.push(own);
  while (fd !== null && inodes.length < MAX_LEVELS) {
    const parent = parentNamespace(fd);
    closeDescriptor(fd);
    fd = parent?.fd ?? null;
    if (parent) inodes.push(parent.inode);
  }
  if (fd !== null) closeDescriptor(fd);
  return inodes;
}

function withRoot<T>(directory: ProcessDirectory, use: (fd: number) => T): T | null {
  const fd = directory.openRoot();
  if (fd === null) return null;
  try {
    return use(fd);
  } finally {
    closeDescriptor(fd);
  }
}

function reading(fd: number | null, read: (fd: number) => string | null): Reading | null {
  return fd === null ? null : { read: () => read(fd), close: () => closeDescriptor(fd) };
}

function view(directory: ProcessDirectory): ProcessView {
  return {
    stat: () => directory.stat(),
    status: () => directory.status(),
    argv: () => directory.argv(),
    cgroup: () => directory.cgroup(),
    uidMap: () => directory.uidMap(),
    namespace: (link) => directory.namespace(link),
    pidNamespaces: () => pidNamespaces(directory),
    root: () =>
      withRoot(directory, (fd) => {
        const found = statFd(fd);
        return found && `${found.device}:${found.inode}`;
      }),
    mounts: () =>
      withRoot(directory, (fd) => {
        let procs = 0;
        return (
          directory.mounts()?.map((mount) => {
            const look = mount.type === 'proc' && procs++ < MAX_PROC_MOUNTS;
            return { ...mount, pidNamespace: look ? pidNamespaceShown(fd, mount) : null };
          }) ?? null
        );
      }),
    activity: () => reading(directory.openActivity(), readActivity),
    hostname: () => reading(directory.openNamespace('uts'), hostnameOf),
    close: () => directory.close(),
  };
}

/** The kernel's own answers. */
export const procSource: ProcessSource = {
  open(pid) {
    const directory = openProcess(pid);
    return directory && view(directory);
  },
  pids: () =>
    readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .map(Number),
};
