// The shape of a fact: when it holds for P, what was expected and observed, and where the learner can read the same.
import type { Assertion, Text } from '@drydock/protocol/lesson.ts';
import type { Subject, World } from './world.ts';

export type AssertionOf<Name extends Assertion['fact']> = Extract<Assertion, { fact: Name }>;

/** `observed` and `readFrom` are null where nothing could be read: the check then waits. */
export interface Fact<A extends Assertion> {
  holds(assertion: A, subject: Subject, world: World): boolean;
  expected(assertion: A, world: World): Text;
  observed(assertion: A, subject: Subject, world: World): Text | null;
  readFrom(assertion: A, subject: Subject, world: World): string | null;
}

/** Does a count lie in what was asked for? */
export function countHolds(
  asked: { atLeast?: number | undefined; exactly?: number | undefined },
  count: number,
): boolean {
  if (asked.exactly !== undefined && count !== asked.exactly) return false;
  return asked.atLeast === undefined || count >= asked.atLeast;
}

/** A file of /proc/P, with P as the learner's host numbers it. */
export function procFile(subject: Subject, file: string): string | null {
  return subject.living ? `/proc/${subject.living.pids[0]}/${file}` : null;
}
