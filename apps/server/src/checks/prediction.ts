// What the kernel showed of what was predicted: read from the same P as the checks, once the check named is met. Pure.
import type { Snapshot } from '@drydock/engine/model/observed.ts';
import type { Observe, Step, Text } from '@drydock/protocol/lesson.ts';
import { chooseSubject, type Judged } from './evaluate.ts';
import { holds } from './facts.ts';
import { endOf } from './facts-process.ts';
import { plain, worldOf, type Context, type Subject, type World } from './world.ts';

/** The value to put into "The kernel says {observed}", in the context's language; null until it is known. */
export function observedForPrediction(
  step: Judged & Pick<Step, 'predict'>,
  snapshot: Snapshot,
  context: Context,
): string | null {
  const { value, once } = step.predict.observe;
  const check = step.checks.find(({ id }) => id === once);
  const world = worldOf(snapshot, context);
  const subject = chooseSubject(step, world);
  if (!check || !subject || !holds(check.assert, subject, world)) return null;
  return VALUES[value](subject, world)?.[context.language] ?? null;
}

const VALUES: Record<Observe['value'], (subject: Subject, world: World) => Text | null> = {
  number: (subject) => plain(String((subject.living ?? subject.ended).pids.at(-1))),
  numbers: (subject) => {
    const [host, ...inside] = (subject.living ?? subject.ended).pids;
    if (inside.length === 0) return plain(String(host));
    return {
      en: `${host} on your host, ${inside.join(', ')} inside`,
      zh: `主机上是 ${host}，里面是 ${inside.join('、')}`,
    };
  },
  /** The end of a member that went when PID 1 did; the first the kernel reported, and the same in every order. */
  'members-end': ({ ended }, { snapshot }) => {
    if (!ended || ended.initOf === null) return null;
    const others = snapshot.exits.filter(
      (exit) => exit.pidNamespace === ended.initOf && exit.key !== ended.key && exit.signal !== null,
    );
    const last = others.toSorted((a, b) => b.atMs - a.atMs || (a.key < b.key ? -1 : 1))[0];
    if (!last) return null;
    const end = endOf(last);
    return { en: `${last.comm} ${end.en}`, zh: `${last.comm} ${end.zh}` };
  },
};
