'use client';
// A polite live region: says in words what changed in the verdict, and the outcome of the prediction.
import type { LessonPage } from '@drydock/protocol/pages.ts';
import type { Verdict } from '@drydock/protocol/verdict.ts';
import { useLocale, useTranslations } from 'next-intl';
import { useEffect, useRef, useState } from 'react';
import { useLab } from '../connection/lab-context.tsx';
import { announcements, type Announcement } from './announcements.ts';
import { outcomeOf } from './outcome.ts';

export function Announcer({ page }: { page: LessonPage }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const lab = useLab();
  const [said, setSaid] = useState('');
  const verdict = useRef<Verdict | null>(null);
  const outcome = useRef<string | null>(null);
  useEffect(() => {
    const words = (step: LessonPage['steps'][number] | undefined, what: Announcement): string => {
      if (what.kind === 'solved') return t('announceSolved');
      const label = (step?.checks.find((check) => check.id === what.check)?.label[locale] ?? what.check).replaceAll(
        '`',
        '',
      );
      if (what.kind === 'contradicts')
        return t('announceContradicts', { label, expected: what.expected, observed: what.observed });
      return t(what.kind === 'met' ? 'announceMet' : 'announceNotYet', { label });
    };
    return lab.store.subscribe((state) => {
      const { verdict: next, openStep } = state;
      const step = page.steps.find((candidate) => candidate.id === openStep);
      const sentences: string[] = [];
      if (next && next !== verdict.current) {
        sentences.push(...announcements(verdict.current, next).map((what) => words(step, what)));
        verdict.current = next;
      }
      if (step) {
        const predicted = state.progress[step.id]?.predicted ?? null;
        const text = outcomeOf(step.predict, predicted, state.observed, locale);
        const key = text === null ? null : `${step.id} ${text}`;
        if (text !== null && key !== outcome.current)
          sentences.push(t('announceOutcome', { text: text.replaceAll('`', '') }));
        outcome.current = key;
      }
      if (sentences.length > 0) setSaid(sentences.join(' '));
    });
  }, [lab, locale, page, t]);
  return (
    <div className="vh" role="status" aria-live="polite" data-testid="announcer">
      {said}
    </div>
  );
}
