// What a change of verdict is in words, for those who listen instead of look. Pure.
import type { CheckVerdict, Verdict } from '@drydock/protocol/verdict.ts';

export type Announcement =
  | { kind: 'met' | 'not-yet'; check: string }
  | { kind: 'contradicts'; check: string; expected: string; observed: string }
  | { kind: 'solved' };

/** Only what changed is said; the first verdict of a step says nothing that is merely not yet met. */
export function announcements(before: Verdict | null, after: Verdict): Announcement[] {
  const known = before?.step === after.step ? before : null;
  const previous = new Map(known?.checks.map((check) => [check.id, check]));
  const said = after.checks.flatMap((check): Announcement[] => {
    const old = previous.get(check.id);
    if (old?.state === check.state && (check.state !== 'contradicts' || old.observed === check.observed)) return [];
    if (!old && check.state === 'not-yet') return [];
    return [say(check)];
  });
  if (after.solved && !(known?.solved ?? false)) said.push({ kind: 'solved' });
  return said;
}

function say(check: CheckVerdict): Announcement {
  if (check.state === 'contradicts')
    return { kind: 'contradicts', check: check.id, expected: check.expected, observed: check.observed ?? '' };
  return { kind: check.state, check: check.id };
}
