'use client';
// "You predicted …. The kernel says …": shown once there are both.
import type { PublicStep } from '@drydock/protocol/pages.ts';
import { useLocale, useTranslations } from 'next-intl';
import { useLabState } from '../connection/lab-context.tsx';
import { InlineCode } from './inline-code.tsx';
import { outcomeOf } from './outcome.ts';
import styles from './card.module.css';

export function OutcomeCard({ step }: { step: PublicStep }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const predicted = useLabState((state) => state.progress[step.id]?.predicted ?? null);
  const observed = useLabState((state) => (state.openStep === step.id ? state.observed : null));
  const right = useLabState((state) => (state.openStep === step.id ? state.predictedRight : null));
  const outcome = outcomeOf(step.predict, predicted, observed, locale);
  if (outcome === null) return null;
  return (
    <section
      className={`${styles.card} ${styles.outcome} ${right === null ? '' : right ? styles.right : styles.wrong}`}
      aria-labelledby={`outcome-${step.id}`}
    >
      <header>
        <h2 id={`outcome-${step.id}`}>{t('outcome')}</h2>
        {right === null ? null : <span className="note">{t(right ? 'outcomeRight' : 'outcomeWrong')}</span>}
      </header>
      <p className={styles.text}>
        <InlineCode text={outcome} />
      </p>
    </section>
  );
}
