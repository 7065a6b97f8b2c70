'use client';
// Check: what the kernel's state says, assertion by assertion, in three states. Red only for what contradicts the goal.
import type { PublicStep } from '@drydock/protocol/pages.ts';
import type { CheckVerdict } from '@drydock/protocol/verdict.ts';
import { useLocale, useTranslations } from 'next-intl';
import { useLabState } from '../connection/lab-context.tsx';
import { Icon } from '../sign/sign.tsx';
import { InlineCode } from './inline-code.tsx';
import cards from './card.module.css';
import styles from './check-card.module.css';

const ICON = { met: 'check', 'not-yet': 'ring', contradicts: 'cross' } as const;
const WORD = { met: 'stateMet', 'not-yet': 'stateNotYet', contradicts: 'stateContradicts' } as const;

export function CheckCard({ step }: { step: PublicStep }) {
  const t = useTranslations('lesson');
  const verdict = useLabState((state) => (state.verdict?.step === step.id ? state.verdict : null));
  const byId = new Map(verdict?.checks.map((check) => [check.id, check]));
  const met = verdict?.checks.filter((check) => check.state === 'met').length ?? 0;
  return (
    <section className={cards.card} aria-labelledby={`check-${step.id}`}>
      <header>
        <h2 id={`check-${step.id}`}>{t('check')}</h2>
        <span className="note">
          {verdict ? t('checkCount', { met, count: step.checks.length }) : t('checkWaiting')}
        </span>
      </header>
      <ul className={styles.checks}>
        {step.checks.map((check) => (
          <CheckItem key={check.id} label={check.label} verdict={byId.get(check.id) ?? null} />
        ))}
      </ul>
    </section>
  );
}

function CheckItem({ label, verdict }: { label: PublicStep['checks'][number]['label']; verdict: CheckVerdict | null }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const state = verdict?.state ?? 'not-yet';
  return (
    <li className={styles[state]} data-state={state}>
      <Icon name={ICON[state]} />
      <span className={styles.label}>
        <span className="vh">{t(WORD[state])} </span>
        <InlineCode text={label[locale]} />
      </span>
      {state === 'met' && verdict?.observed ? <span className="note">{verdict.observed}</span> : null}
      {state === 'contradicts' && verdict ? (
        <dl className={styles.readings}>
          <dt>{t('expected')}</dt>
          <dd>{verdict.expected}</dd>
          <dt>{t('observed')}</dt>
          <dd className={styles.observed}>{verdict.observed ?? '—'}</dd>
          {verdict.readFrom === null ? null : (
            <>
              <dt>{t('readFrom')}</dt>
              <dd>{verdict.readFrom}</dd>
            </>
          )}
        </dl>
      ) : null}
    </li>
  );
}
