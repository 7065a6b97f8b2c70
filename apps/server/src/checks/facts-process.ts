// Facts about P itself: its numbers, the others of its namespace, its command, how it ended and whom it took along.
import { constants } from 'node:os';
import type { ObservedExit } from '@drydock/engine/model/observed.ts';
import type { Text } from '@drydock/protocol/lesson.ts';
import { countHolds, procFile, type AssertionOf, type Fact } from './fact.ts';
import { listed } from './facts-namespace.ts';
import { isAlive, membersOf, nameOf, plain, type Subject, type World } from './world.ts';

export const nspid: Fact<AssertionOf<'nspid'>> = {
  holds({ levels, levelsAtLeast, last }, subject) {
    const { pids } = subject.living ?? subject.ended;
    if (levels !== undefined && pids.length !== levels) return false;
    if (levelsAtLeast !== undefined && pids.length < levelsAtLeast) return false;
    return last === undefined || pids.at(-1) === last;
  },
  expected({ levels, levelsAtLeast, last }) {
    const en: string[] = [];
    const zh: string[] = [];
    if (levels !== undefined) {
      en.push(levels === 1 ? 'one number' : `${levels} numbers`);
      zh.push(`${levels} 个号码`);
    }
    if (levelsAtLeast !== undefined) {
      en.push(`at least ${levelsAtLeast} numbers`);
      zh.push(`至少 ${levelsAtLeast} 个号码`);
    }
    if (last !== undefined) {
      en.push(`the last one ${last}`);
      zh.push(`最后一个是 ${last}`);
    }
    return { en: `NSpid: ${en.join(', ')}`, zh: `NSpid：${zh.join('，')}` };
  },
  observed: (_, subject) => plain(`NSpid: ${(subject.living ?? subject.ended).pids.join(' ')}`),
  readFrom: (_, subject) => procFile(subject, 'status'),
};

function othersOf(subject: Subject, world: World) {
  if (!subject.living || !isAlive(subject.living)) return null;
  return membersOf(world, subject.living.namespaces.pid).filter(({ key }) => key !== subject.living.key);
}

export const members: Fact<AssertionOf<'members'>> = {
  holds(assertion, subject, world) {
    const others = othersOf(subject, world);
    return others !== null && countHolds(assertion, others.length);
  },
  expected: ({ atLeast, exactly }) => ({
    en: `${exactly ?? `at least ${atLeast ?? 0}`} other living in its pid namespace`,
    zh: `它的 PID 命名空间里${exactly === undefined ? '至少' : ''}还有 ${exactly ?? atLeast ?? 0} 个活着的进程`,
  }),
  observed(_, subject, world) {
    const others = othersOf(subject, world);
    if (others === null) return null;
    return others.length === 0 ? { en: 'it lives there alone', zh: '只有它自己' } : plain(listed(others));
  },
  readFrom(_, subject, world) {
    const first = othersOf(subject, world)?.[0];
    return first ? `/proc/${first.pids[0]}/ns/pid` : procFile(subject, 'ns/pid');
  },
};

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/** "signal 9 (SIGKILL)", as signal(7) on Linux names it. */
export function signalName(signal: number): string {
  const name = SIGNAL_NAMES.get(signal);
  return name ? `signal ${signal} (${name})` : `signal ${signal}`;
}

/** How a process ended, in words. */
export function endOf(exit: Pick<ObservedExit, 'code' | 'signal'>): Text {
  if (exit.signal !== null) {
    const name = signalName(exit.signal);
    return { en: `ended by ${name}`, zh: `因 ${name} 结束` };
  }
  if (exit.code !== null) return { en: `ended by itself, status ${exit.code}`, zh: `自己退出，状态 ${exit.code}` };
  return { en: 'ended; how was not seen', zh: '已结束，没有看到是怎样结束的' };
}

/** The status its parent got, by wait4(2): nothing of it is left in /proc. */
const waitStatus = (subject: Subject): string | null =>
  subject.ended ? `wait4(${subject.ended.pids[0] ?? '?'})` : procFile(subject, 'stat');

const stillLives = (subject: Subject): Text | null =>
  subject.living ? { en: `${nameOf(subject.living)} still lives`, zh: `${nameOf(subject.living)} 还活着` } : null;

export const initEnded: Fact<AssertionOf<'init-ended'>> = {
  holds: ({ signal }, { ended }) =>
    ended !== undefined && ended.initOf !== null && (signal === undefined || ended.signal === signal),
  expected: ({ signal }) =>
    signal === undefined
      ? { en: 'PID 1 has ended', zh: '1 号进程已经结束' }
      : { en: `PID 1 ended by ${signalName(signal)}`, zh: `1 号进程因 ${signalName(signal)} 结束` },
  observed(_, subject) {
    if (!subject.ended) return stillLives(subject);
    const end = endOf(subject.ended);
    return { en: `${nameOf(subject.ended)} ${end.en}`, zh: `${nameOf(subject.ended)} ${end.zh}` };
  },
  readFrom: (_, subject) => waitStatus(subject),
};

export const tookAlong: Fact<AssertionOf<'took-along'>> = {
  holds(assertion, { ended }, world) {
    if (!ended || ended.initOf === null) return false;
    return countHolds(assertion, ended.membersAlive) && membersOf(world, ended.initOf).length === 0;
  },
  expected: ({ atLeast, exactly }) => ({
    en: `${exactly ?? `at least ${atLeast ?? 0}`} other inside when PID 1 ended, and none after`,
    zh: `1 号进程结束时里面${exactly === undefined ? '至少' : ''}还有 ${exactly ?? atLeast ?? 0} 个进程，之后一个不剩`,
  }),
  observed(_, subject, world) {
    if (!subject.ended) return stillLives(subject);
    const { membersAlive, initOf } = subject.ended;
    const left = membersOf(world, initOf).length;
    return {
      en: `${membersAlive === 0 ? 'nobody else' : `${membersAlive} other`} inside when it ended, ${left === 0 ? 'none' : left} after`,
      zh: `它结束时里面还有 ${membersAlive} 个进程，之后剩 ${left} 个`,
    };
  },
  readFrom: (_, subject) => waitStatus(subject),
};

/** The base name of argv[0] without a login shell's dash, else comm. */
function commandOf(subject: Subject): string {
  const argv0 = subject.living?.argv[0];
  return argv0 ? argv0.replace(/^-/, '').replace(/^.*\//, '') : (subject.living ?? subject.ended).comm;
}

export const command: Fact<AssertionOf<'command'>> = {
  holds: ({ oneOf }, subject) =>
    oneOf.includes(commandOf(subject)) || oneOf.includes((subject.living ?? subject.ended).comm),
  expected: ({ oneOf }) => plain(oneOf.join(' / ')),
  observed: (_, subject) => plain(commandOf(subject)),
  readFrom: (_, subject) => procFile(subject, 'cmdline'),
};

export const isNew: Fact<AssertionOf<'new'>> = {
  holds: ({ is }, subject, { context }) => context.baseline.has((subject.living ?? subject.ended).key) !== is,
  expected: ({ is }) =>
    is
      ? { en: 'started after this step began', zh: '在本步骤开始之后启动' }
      : { en: 'running before this step began', zh: '在本步骤开始之前已在运行' },
  observed: (_, subject, { context }) =>
    context.baseline.has((subject.living ?? subject.ended).key)
      ? { en: 'it ran before this step began', zh: '它在本步骤开始之前已在运行' }
      : { en: 'it was started in this step', zh: '它是在本步骤中启动的' },
  readFrom: (_, subject) => procFile(subject, 'stat'),
};
