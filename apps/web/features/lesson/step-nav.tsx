'use client';
// Where one is: breadcrumb, and the steps as stations on a line. The sheet to keep is the last stop.
import type { LessonPage } from '@drydock/protocol/pages.ts';
import Link from 'next/link';
import { useLocale, useTranslations } from 'next-intl';
import { useLabState } from '../connection/lab-context.tsx';
import { isSolved } from '../connection/lab-state.ts';
import { SHEET } from './step-address.ts';
import styles from './step-nav.module.css';

export function StepNav({ page, at, go }: { page: LessonPage; at: string; go: (step: string) => void }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const progress = useLabState((state) => state.progress);
  const verdict = useLabState((state) => state.verdict);
  const index = page.steps.findIndex((step) => step.id === at);
  const count = page.steps.length;
  return (
    <>
      <nav className={styles.crumbs} aria-label={t('breadcrumb')}>
        <ol>
          <li>
            <Link href="/" prefetch={false}>
              {page.track.title[locale]}
            </Link>
          </li>
          <li aria-current="page">
            {page.lesson.code} {page.lesson.title[locale]}
          </li>
        </ol>
      </nav>
      <nav className={styles.steps} aria-label={t('steps')}>
        <ol>
          {page.steps.map((step, i) => {
            const done = isSolved({ progress, verdict }, step.id);
            const here = step.id === at;
            const label = here ? 'stepLinkHere' : done ? 'stepLinkDone' : 'stepLink';
            const name = t(label, { step: i + 1, title: step.title[locale] });
            return (
              <li key={step.id} className={here ? styles.here : done ? styles.done : ''}>
                <button
                  type="button"
                  aria-label={name}
                  title={name}
                  aria-current={here ? 'step' : undefined}
                  onClick={() => go(step.id)}
                />
              </li>
            );
          })}
          <li className={`${styles.sheet} ${at === SHEET ? styles.here : ''}`}>
            <button
              type="button"
              aria-label={t('sheet')}
              title={t('sheet')}
              aria-current={at === SHEET ? 'step' : undefined}
              onClick={() => go(SHEET)}
            />
          </li>
        </ol>
        <span className="note">{index < 0 ? t('sheet') : t('stepsShort', { step: index + 1, steps: count })}</span>
      </nav>
    </>
  );
}
