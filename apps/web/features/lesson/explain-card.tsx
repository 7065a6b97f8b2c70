'use client';
// Explain: opens when the step is solved. One choice, feedback that says why, then the theory.
import type { Answers } from '@drydock/protocol/events.ts';
import type { PublicStep } from '@drydock/protocol/pages.ts';
import { useLocale, useTranslations } from 'next-intl';
import { useEffect, useState } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { isSolved } from '../connection/lab-state.ts';
import { InlineCode } from './inline-code.tsx';
import { Prose } from './prose.tsx';
import styles from './card.module.css';

export function ExplainCard({ step }: { step: PublicStep }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const lab = useLab();
  const solved = useLabState((state) => isSolved(state, step.id));
  const explained = useLabState((state) => state.progress[step.id]?.explained ?? null);
  const [answer, setAnswer] = useState<Answers['step:explain'] | null>(null);
  const [pending, setPending] = useState<string | null>(null);
  const ready = useLabState((state) => state.connection === 'online' && state.openStep === step.id);
  // After a reload: the feedback of the answer that stands. The server keeps the answer, not what it said to it.
  const again = ready && solved && answer === null ? explained : null;
  useEffect(() => {
    if (again === null) return undefined;
    let gone = false;
    const askAgain = async () => {
      const given = await lab.ask('step:explain', { option: again });
      if (!gone && given) setAnswer(given);
    };
    void askAgain();
    return () => {
      gone = true;
    };
  }, [again, lab]);
  if (!solved) return null;
  const choose = async (option: string) => {
    setPending(option);
    const given = await lab.ask('step:explain', { option });
    setPending(null);
    if (!given) return;
    const { feedback: _feedback, right: _right, ...progress } = given;
    setAnswer(given);
    lab.store.setState((state) => ({ progress: { ...state.progress, [progress.step]: progress } }));
  };
  const current = pending ?? explained;
  return (
    <section className={`${styles.card} ${styles.predict}`} aria-labelledby={`explain-${step.id}`}>
      <header>
        <h2 id={`explain-${step.id}`}>{t('explain')}</h2>
      </header>
      <fieldset role="radiogroup">
        <legend className={styles.question}>
          <InlineCode text={step.explain.question[locale]} />
        </legend>
        <div className={`${styles.options} ${styles.list}`}>
          {step.explain.options.map((option) => (
            <label
              key={option.id}
              className={styles.option}
              onClick={(event) => {
                // A click on the choice made before asks for its feedback again; any other click changes the choice.
                if (event.target instanceof HTMLInputElement && current === option.id) void choose(option.id);
              }}
            >
              <input
                type="radio"
                name={`explain-${step.id}`}
                value={option.id}
                checked={current === option.id}
                onChange={() => void choose(option.id)}
              />
              <b className={styles.long}>
                <InlineCode text={option.label[locale]} />
              </b>
            </label>
          ))}
        </div>
      </fieldset>
      {answer ? (
        <p className={answer.right ? styles.rightText : styles.wrongText} role="status">
          <strong>{t(answer.right ? 'right' : 'notQuite')}</strong> <InlineCode text={answer.feedback[locale]} />
        </p>
      ) : null}
      {explained === null ? null : (
        <div className={styles.theory}>
          <Prose html={step.prose[locale].explain} />
        </div>
      )}
    </section>
  );
}
