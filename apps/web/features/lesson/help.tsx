'use client';
// Help that fades in: hints one by one, then the solution once a hint was opened or something was tried.
import type { Answers } from '@drydock/protocol/events.ts';
import type { PublicStep } from '@drydock/protocol/pages.ts';
import { useLocale, useTranslations } from 'next-intl';
import { useState } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { isSolved } from '../connection/lab-state.ts';
import { Icon } from '../sign/sign.tsx';
import { InlineCode } from './inline-code.tsx';
import styles from './card.module.css';

export function Help({ step }: { step: PublicStep }) {
  const progress = useLabState((state) => state.progress[step.id]);
  const solved = useLabState((state) => isSolved(state, step.id));
  const fits = useLabState((state) => (state.verdict?.step === step.id ? state.verdict.hint : null));
  const opened = progress?.hintsOpened ?? [];
  const shown = Math.min(step.hintCount, opened.length + 1);
  return (
    <>
      {Array.from({ length: shown }, (_, index) => (
        <Hint
          key={index}
          index={index}
          count={step.hintCount}
          opened={index < opened.length}
          fits={index >= opened.length && fits !== null && !opened.includes(fits)}
        />
      ))}
      <Solution allowed={solved || opened.length > 0 || (progress?.attempts ?? 0) > 0} />
    </>
  );
}

function Hint({ index, count, opened, fits }: { index: number; count: number; opened: boolean; fits: boolean }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const lab = useLab();
  const [hint, setHint] = useState<Answers['step:hint'] | null>(null);
  const [shown, setShown] = useState(false);
  const toggle = async () => {
    setShown(!shown);
    if (shown || hint) return;
    const answer = await lab.ask('step:hint', { index });
    if (!answer) return setShown(false);
    setHint(answer);
    lab.store.setState((state) => ({ progress: { ...state.progress, [answer.progress.step]: answer.progress } }));
  };
  return (
    <div className={styles.hint}>
      <button type="button" aria-expanded={shown && hint !== null} onClick={() => void toggle()}>
        <Icon name="down" />
        {t('hint', { number: index + 1, count })}
        {opened ? null : <span className="note">{t(fits ? 'hintFits' : 'hintClosed')}</span>}
      </button>
      {shown && hint ? (
        <p role="status">
          <InlineCode text={hint.text[locale]} />
        </p>
      ) : null}
    </div>
  );
}

function Solution({ allowed }: { allowed: boolean }) {
  const t = useTranslations('lesson');
  const lab = useLab();
  const [text, setText] = useState<string | null>(null);
  const [shown, setShown] = useState(false);
  const toggle = async () => {
    setShown(!shown);
    if (shown || text !== null) return;
    const answer = await lab.ask('step:solution', {});
    if (!answer) return setShown(false);
    setText(answer.text);
    lab.store.setState((state) => ({ progress: { ...state.progress, [answer.progress.step]: answer.progress } }));
  };
  return (
    <div className={styles.hint}>
      <button type="button" aria-expanded={shown && text !== null} disabled={!allowed} onClick={() => void toggle()}>
        <Icon name={allowed ? 'down' : 'lock'} />
        {t('solution')}
        {allowed ? null : <span className="note">{t('solutionLater')}</span>}
      </button>
      {shown && text !== null ? (
        <pre tabIndex={0}>
          <code>{text}</code>
        </pre>
      ) : null}
    </div>
  );
}
