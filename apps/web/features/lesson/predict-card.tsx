'use client';
// Predict: one click before anything is run. With a pointer the click is the choice; with keys, arrows move and Enter or
// Space locks. Once locked it stays as it is.
import type { PublicStep } from '@drydock/protocol/pages.ts';
import { useLocale, useTranslations } from 'next-intl';
import { useState } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { textWidth } from '../scope/text-width.ts';
import { timeOfDay } from './format.ts';
import { InlineCode } from './inline-code.tsx';
import styles from './card.module.css';

export function PredictCard({ step }: { step: PublicStep }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const lab = useLab();
  const progress = useLabState((state) => state.progress[step.id]);
  const ready = useLabState((state) => state.connection === 'online' && state.openStep === step.id);
  const [chosen, setChosen] = useState<string | null>(null);
  const [sending, setSending] = useState(false);
  const locked = progress?.predicted ?? null;
  const current = locked ?? chosen;
  const lock = async (option: string) => {
    if (locked !== null || sending) return;
    setChosen(option);
    if (!ready) return;
    setSending(true);
    const answer = await lab.ask('step:predict', { option });
    setSending(false);
    if (answer) lab.store.setState((state) => ({ progress: { ...state.progress, [answer.step]: answer } }));
  };
  const { question, options } = step.predict;
  const long = options.some((option) => textWidth(option.label[locale], 1, 2) > 12);
  return (
    <section className={`${styles.card} ${styles.predict}`} aria-labelledby={`predict-${step.id}`}>
      <header>
        <h2 id={`predict-${step.id}`}>{t('predict')}</h2>
        <span className="note" suppressHydrationWarning>
          {progress?.predictedAtMs ? t('predictLocked', { time: timeOfDay(progress.predictedAtMs) }) : t('predictOpen')}
        </span>
      </header>
      <fieldset role="radiogroup">
        <legend className={styles.question}>
          <InlineCode text={question[locale]} />
        </legend>
        <div className={`${styles.options} ${long ? styles.list : ''}`}>
          {options.map((option) => (
            <label
              key={option.id}
              className={`${styles.option} ${locked === null ? '' : styles.locked}`}
              onClick={(event) => {
                if (event.detail > 0) void lock(option.id);
              }}
            >
              <input
                type="radio"
                name={`predict-${step.id}`}
                value={option.id}
                checked={current === option.id}
                disabled={locked !== null && locked !== option.id}
                onChange={() => {
                  if (locked === null) setChosen(option.id);
                }}
                onKeyDown={(event) => {
                  if (event.key === 'Enter' || event.key === ' ') void lock(option.id);
                }}
              />
              <b className={long ? styles.long : ''}>
                <InlineCode text={option.label[locale]} />
              </b>
              {option.note ? (
                <span>
                  <InlineCode text={option.note[locale]} />
                </span>
              ) : null}
            </label>
          ))}
        </div>
      </fieldset>
      {locked === null && chosen !== null ? (
        <div className={styles.actions}>
          <button type="button" className="btn sm solid" disabled={sending || !ready} onClick={() => void lock(chosen)}>
            {t('predictButton')}
          </button>
        </div>
      ) : null}
    </section>
  );
}
