// Facts about namespaces and what hangs on them: which one P is in, where its children will be born, which /proc it sees.
import type { NamespaceType } from '@drydock/engine/model/namespace.ts';
import type { ObservedProcess } from '@drydock/engine/model/observed.ts';
import type { Text } from '@drydock/protocol/lesson.ts';
import { countHolds, procFile, type AssertionOf, type Fact } from './fact.ts';
import { isAlive, membersOf, nameOf, plain, type World } from './world.ts';

const link = (type: NamespaceType, inode: number): string => `${type}:[${inode}]`;

export const namespace: Fact<AssertionOf<'namespace'>> = {
  holds({ type, is }, { living }, { snapshot }) {
    const host = snapshot.namespaces[type];
    const own = living?.namespaces[type] ?? null;
    if (own === null || host === null) return false;
    return is === 'shared' ? own === host : own !== host;
  },
  expected({ type, is }, { snapshot }) {
    const host = snapshot.namespaces[type];
    const name = host === null ? type : link(type, host);
    return is === 'shared'
      ? { en: `${name}, the one your host is in`, zh: `${name}，即主机所在的命名空间` }
      : {
          en: `a ${type} namespace other than ${name}, your host’s`,
          zh: `不是主机的 ${name}，而是自己的 ${type} 命名空间`,
        };
  },
  observed({ type }, { living }, { snapshot }) {
    const own = living?.namespaces[type] ?? null;
    if (own === null) return null;
    const name = link(type, own);
    return own === snapshot.namespaces[type]
      ? { en: `${name}, the one your host is in`, zh: `${name}，即主机所在的命名空间` }
      : { en: `${name}, not your host’s`, zh: `${name}，不是主机的那个` };
  },
  readFrom: ({ type }, subject) => procFile(subject, `ns/${type}`),
};

type Children = { state: 'same' | 'other'; inode: number } | { state: 'unreadable' } | null;

/**
 * Where the next child will be born. ns/pid_for_children has no target between unshare(2) and the first fork
 * (pid_namespaces(7)), so null there while the process is alive and its ns/pid can be read means just that.
 */
function childrenOf(process: ObservedProcess | undefined, type: 'pid' | 'time'): Children {
  if (!process || !isAlive(process)) return null;
  const own = process.namespaces[type];
  const children = type === 'pid' ? process.pidForChildren : process.timeForChildren;
  if (own === null) return null;
  if (children === null) return type === 'pid' ? { state: 'unreadable' } : null;
  return { state: children === own ? 'same' : 'other', inode: children };
}

const CHILDREN: Record<'same' | 'other' | 'unreadable', Text> = {
  same: { en: 'the namespace it is in itself', zh: '它自己所在的命名空间' },
  other: { en: 'another namespace than the one it is in itself', zh: '与它自己所在的不同的命名空间' },
  unreadable: { en: 'a namespace without a first process yet', zh: '还没有第一个进程的命名空间' },
};

export const childrenNamespace: Fact<AssertionOf<'children-namespace'>> = {
  holds({ type, is }, { living }) {
    const children = childrenOf(living, type);
    return children !== null && is.includes(children.state);
  },
  expected({ is }) {
    const states = is.map((state) => CHILDREN[state]);
    return {
      en: `its children will be born into ${states.map((state) => state.en).join(' or ')}`,
      zh: `它的子进程将生在${states.map((state) => state.zh).join('，或')}`,
    };
  },
  observed({ type }, { living }) {
    const children = childrenOf(living, type);
    const own = living?.namespaces[type] ?? null;
    if (children === null || own === null) return null;
    if (children.state === 'unreadable')
      return {
        en: 'not readable: nobody was born there yet; it can be read after the first fork',
        zh: '读不到：那里还没有进程出生，第一次 fork 之后才能读',
      };
    const name = link(type, children.inode);
    return children.state === 'same'
      ? { en: `${name}, the same as its own`, zh: `${name}，与它自己的相同` }
      : { en: `${name}; it is itself in ${link(type, own)}`, zh: `${name}；它自己在 ${link(type, own)}` };
  },
  readFrom: ({ type }, subject) => procFile(subject, `ns/${type}_for_children`),
};

/** Who lives where P's next child will be born; null where that can't be told. */
function childrenMembers(process: ObservedProcess | undefined, world: World): readonly ObservedProcess[] | null {
  const children = childrenOf(process, 'pid');
  if (children === null) return null;
  return children.state === 'unreadable' ? [] : membersOf(world, children.inode);
}

export const childrenMembersFact: Fact<AssertionOf<'children-members'>> = {
  holds(assertion, { living }, world) {
    const members = childrenMembers(living, world);
    return members !== null && countHolds(assertion, members.length);
  },
  expected: ({ atLeast, exactly }) =>
    exactly === 0
      ? { en: 'no living process where its children are born', zh: '它的子进程出生的命名空间里没有活着的进程' }
      : {
          en: `${exactly ?? `at least ${atLeast ?? 0}`} living where its children are born`,
          zh: `它的子进程出生的命名空间里${exactly === undefined ? '至少' : ''}有 ${exactly ?? atLeast ?? 0} 个活着的进程`,
        },
  observed(_, { living }, world) {
    const members = childrenMembers(living, world);
    if (members === null) return null;
    if (members.length === 0) return { en: 'nobody lives there', zh: '那里没有活着的进程' };
    return plain(listed(members));
  },
  readFrom(_, subject, world) {
    const first = childrenMembers(subject.living, world)?.[0];
    return first ? `/proc/${first.pids[0]}/ns/pid` : procFile(subject, 'ns/pid_for_children');
  },
};

/** "57 (bash), 60 (sleep) …": at most three. */
export function listed(processes: readonly ObservedProcess[]): string {
  return processes.slice(0, 3).map(nameOf).join(', ') + (processes.length > 3 ? ' …' : '');
}

/** The mount that is seen at `at`: the last one of mountinfo covers those before it. */
function procMount(process: ObservedProcess | undefined, at: string, world: World) {
  const mnt = process?.namespaces.mnt ?? null;
  if (!process || mnt === null) return { state: 'unread' } as const;
  if (mnt === world.snapshot.namespaces.mnt) return { state: 'host' } as const;
  const mounts = process.mounts ?? world.mounts.get(mnt);
  if (!mounts) return { state: 'unread' } as const;
  const mount = mounts.findLast((candidate) => candidate.mountPoint === at);
  if (!mount || mount.type !== 'proc' || mount.root !== '/') return { state: 'none' } as const;
  if (mount.pidNamespace === null || process.namespaces.pid === null) return { state: 'unread' } as const;
  return { state: mount.pidNamespace === process.namespaces.pid ? 'own' : 'other', shows: mount.pidNamespace } as const;
}

export const ownProc: Fact<AssertionOf<'own-proc'>> = {
  holds({ at, is }, { living }, world) {
    const { state } = procMount(living, at, world);
    return state !== 'unread' && (state === 'own') === is;
  },
  expected: ({ at, is }) =>
    is
      ? {
          en: `a ${at} of its own, which lists its own pid namespace`,
          zh: `自己的 ${at}，列出的是它自己的 PID 命名空间`,
        }
      : { en: `a ${at} that is not its own`, zh: `${at} 不是它自己的` },
  observed({ at }, { living }, world) {
    const found = procMount(living, at, world);
    if (found.state === 'unread') return null;
    if (found.state === 'host')
      return { en: `it uses your host’s mounts, ${at} too`, zh: `它用的是主机的挂载，包括 ${at}` };
    if (found.state === 'none') return { en: `no proc is mounted at ${at}`, zh: `${at} 处没有挂载 proc` };
    const name = link('pid', found.shows);
    if (found.state === 'own') return { en: `${at} lists ${name}, its own`, zh: `${at} 列出 ${name}，正是它自己的` };
    return found.shows === world.snapshot.namespaces.pid
      ? { en: `${at} lists ${name}, your host’s processes`, zh: `${at} 列出 ${name}，即主机的进程` }
      : { en: `${at} lists ${name}, not its own`, zh: `${at} 列出 ${name}，不是它自己的` };
  },
  readFrom({ at }, subject, world) {
    const { state } = procMount(subject.living, at, world);
    if (state === 'unread') return null;
    return procFile(subject, state === 'host' ? 'ns/mnt' : 'mountinfo');
  },
};
