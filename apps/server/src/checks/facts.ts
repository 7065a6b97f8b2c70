// Every fact a lesson can state, by name; the one place that goes from an assertion to what it means.
import type { Assertion, Text } from '@drydock/protocol/lesson.ts';
import type { Fact } from './fact.ts';
import { childrenMembersFact, childrenNamespace, namespace, ownProc } from './facts-namespace.ts';
import { command, initEnded, isNew, members, nspid, tookAlong } from './facts-process.ts';
import type { Subject, World } from './world.ts';

type Facts = { [Name in Assertion['fact']]: Fact<Extract<Assertion, { fact: Name }>> };

const FACTS: Facts = {
  namespace,
  'children-namespace': childrenNamespace,
  'children-members': childrenMembersFact,
  nspid,
  'own-proc': ownProc,
  members,
  'init-ended': initEnded,
  'took-along': tookAlong,
  command,
  new: isNew,
};

/** The fact that belongs to an assertion: a discriminated union can't be followed through a table by the compiler. */
function factOf(assertion: Assertion): Fact<Assertion> {
  return FACTS[assertion.fact];
}

export function holds(assertion: Assertion, subject: Subject, world: World): boolean {
  return factOf(assertion).holds(assertion, subject, world);
}

export function expected(assertion: Assertion, world: World): Text {
  return factOf(assertion).expected(assertion, world);
}

export function observed(assertion: Assertion, subject: Subject, world: World): Text | null {
  return factOf(assertion).observed(assertion, subject, world);
}

export function readFrom(assertion: Assertion, subject: Subject, world: World): string | null {
  return factOf(assertion).readFrom(assertion, subject, world);
}
