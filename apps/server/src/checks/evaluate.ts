// The verdict on a step: one subject P for all its checks, three states each, and the hint that fits. Pure: the same
// step, snapshot and context always give the same verdict, in whatever order the snapshot lists its processes.
import type { Snapshot } from '@drydock/engine/model/observed.ts';
import type { Check, Hint, Step, Text } from '@drydock/protocol/lesson.ts';
import type { CheckVerdict, Verdict } from '@drydock/protocol/verdict.ts';
import { candidatesOf, learnersProcesses } from './candidates.ts';
import { expected, holds, observed, readFrom } from './facts.ts';
import { hostNumber, worldOf, type Context, type Subject, type World } from './world.ts';

export type { Context } from './world.ts';

/** What a step needs to be judged. */
export type Judged = Pick<Step, 'subject' | 'checks' | 'hints'>;

/** What the checks of a step say of a snapshot, in the context's language. `solved`: every one is met, by the same P. */
export function evaluate(stepId: string, step: Judged, snapshot: Snapshot, context: Context): Verdict {
  const world = worldOf(snapshot, context);
  const subject = chooseSubject(step, world);
  const checks = step.checks.map((check) => judge(check, subject, world));
  return {
    step: stepId,
    seq: snapshot.seq,
    subject: subject ? keyOf(subject) : null,
    checks,
    hint: fittingHint(step, subject, world),
    solved: checks.every(({ state }) => state === 'met'),
  };
}

/**
 * P: of all candidates the one that meets most checks; of equals the newest, then the lowest number. Start times are
 * counted in ticks of 10 ms, and a line typed at once falls into the same: then a child is newer than its parent.
 */
export function chooseSubject(step: Judged, world: World): Subject | null {
  const ranked = candidatesOf(step, world).map((subject) => ({
    subject,
    met: step.checks.filter(({ assert }) => holds(assert, subject, world)).length,
  }));
  ranked.sort(
    (a, b) =>
      b.met - a.met ||
      bornAtMs(b.subject) - bornAtMs(a.subject) ||
      generationOf(b.subject, world) - generationOf(a.subject, world) ||
      hostNumber(a.subject) - hostNumber(b.subject) ||
      (keyOf(a.subject) < keyOf(b.subject) ? -1 : 1),
  );
  return ranked[0]?.subject ?? null;
}

function judge(check: Check, subject: Subject | null, world: World): CheckVerdict {
  const { language } = world.context;
  const say = (text: Text | null): string | null => text?.[language] ?? null;
  const { id, assert, contradictedBy } = check;
  const wanted = expected(assert, world)[language];
  if (!subject) return { id, state: 'not-yet', expected: wanted, observed: null, readFrom: null, mark: null };
  const met = holds(assert, subject, world);
  const contradicts = !met && contradictedBy.some((assertion) => holds(assertion, subject, world));
  return {
    id,
    state: met ? 'met' : contradicts ? 'contradicts' : 'not-yet',
    expected: wanted,
    observed: say(observed(assert, subject, world)),
    readFrom: readFrom(assert, subject, world),
    mark: keyOf(subject),
  };
}

function fittingHint(step: Judged, subject: Subject | null, world: World): string | null {
  const isMet = (id: string): boolean =>
    subject !== null && step.checks.some((check) => check.id === id && holds(check.assert, subject, world));
  const fits = ({ fits: rule }: Hint): boolean => {
    if (!rule || isMet(rule.unmet)) return false;
    const { when, anywhere } = rule;
    if (when ? !subject || !holds(when, subject, world) : !subject && !anywhere) return false;
    return !anywhere || learnersProcesses(world).some((process) => holds(anywhere, process, world));
  };
  return step.hints.find(fits)?.id ?? null;
}

/** A step's hints as they open, three deep: what was observed chooses the first, the other two lead to the solution. */
export function hintLadder(step: Pick<Step, 'hints'>, verdict: Pick<Verdict, 'hint'>): Hint[] {
  const ladder = step.hints.filter(({ fits }) => fits === undefined);
  const fitting = step.hints.find(({ id }) => id === verdict.hint);
  return fitting ? [fitting, ...ladder.slice(1)] : ladder;
}

const keyOf = (subject: Subject): string => (subject.living ?? subject.ended).key;

const bornAtMs = (subject: Subject): number => subject.living?.startedAtMs ?? subject.ended?.atMs ?? 0;

/** How many ancestors P has in the sandbox. */
function generationOf({ living }: Subject, world: World): number {
  const seen = new Set<string>();
  for (let at = living; at && !seen.has(at.key); at = world.byKey.get(at.parentKey ?? '')) seen.add(at.key);
  return seen.size;
}
