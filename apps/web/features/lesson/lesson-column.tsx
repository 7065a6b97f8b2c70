'use client';
// The left column: one step in its order (situation, predict, command, check, outcome, explain, help), or the sheet.
import type { LessonPage, PublicStep } from '@drydock/protocol/pages.ts';
import Link from 'next/link';
import { useLocale, useTranslations } from 'next-intl';
import { useEffect, useRef } from 'react';
import { useLabState } from '../connection/lab-context.tsx';
import { isSolved } from '../connection/lab-state.ts';
import { Icon } from '../sign/sign.tsx';
import { CheckCard } from './check-card.tsx';
import { CommandCard } from './command-card.tsx';
import { ExplainCard } from './explain-card.tsx';
import { Help } from './help.tsx';
import { InlineCode } from './inline-code.tsx';
import { OutcomeCard } from './outcome-card.tsx';
import { PredictCard } from './predict-card.tsx';
import { Prose } from './prose.tsx';
import { SHEET, neighbours } from './step-address.ts';
import styles from './lesson-column.module.css';

export function LessonColumn({ page, at, go }: { page: LessonPage; at: string; go: (step: string) => void }) {
  const t = useTranslations('lesson');
  const scroll = useRef<HTMLDivElement>(null);
  const shown = useRef(at);
  const step = page.steps.find((candidate) => candidate.id === at) ?? null;
  useEffect(() => {
    if (shown.current === at) return;
    shown.current = at;
    scroll.current?.scrollTo({ top: 0 });
    scroll.current?.focus({ preventScroll: true });
  }, [at]);
  return (
    <main className={styles.column} id="content">
      <div className={styles.scroll} ref={scroll} tabIndex={0} role="region" aria-label={t('column')}>
        {step ? <Step key={step.id} page={page} step={step} /> : <Sheet page={page} />}
      </div>
      <Pager page={page} at={at} go={go} />
    </main>
  );
}

function Step({ page, step }: { page: LessonPage; step: PublicStep }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const number = page.steps.indexOf(step) + 1;
  return (
    <>
      {number === 1 ? <Opening page={page} /> : null}
      <p className="note">{t('stepLine', { step: number, minutes: step.minutes })}</p>
      <h1>{step.title[locale]}</h1>
      <Prose html={step.prose[locale].situation} />
      <PredictCard step={step} />
      {step.commands.map((command) => (
        <CommandCard key={command.id} step={step} command={command} />
      ))}
      <CheckCard step={step} />
      <OutcomeCard step={step} />
      <ExplainCard step={step} />
      <Help step={step} />
      <section className={styles.sources} aria-labelledby="sources">
        <h2 className="note" id="sources">
          {t('sources')}
        </h2>
        <ul>
          {step.citations.map(({ title, url }) => (
            <li key={url}>
              <a href={url} target="_blank" rel="noreferrer noopener">
                {title}
              </a>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}

function Opening({ page }: { page: LessonPage }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const { opens, opening } = page.lesson;
  return (
    <section className={styles.opening} aria-labelledby="opening">
      <h2 id="opening" className="note">
        {t('opening')}
      </h2>
      <pre className={styles.known} tabIndex={0} aria-label={t('commandKnown')}>
        <code>{opens.command}</code>
      </pre>
      <p>
        <InlineCode text={opens.text[locale]} />
      </p>
      <Prose html={opening[locale]} />
    </section>
  );
}

function Sheet({ page }: { page: LessonPage }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const { glossary } = page.lesson;
  return (
    <>
      <p className="note">{t('sheetNote')}</p>
      <h1>{page.lesson.title[locale]}</h1>
      <Prose html={page.lesson.sheet[locale]} />
      {glossary.length > 0 ? (
        <section className={styles.glossary} aria-labelledby="glossary">
          <h2 id="glossary">{t('glossary')}</h2>
          <dl>
            {glossary.map(({ term, meaning }) => (
              <div key={term.en}>
                <dt>{term[locale]}</dt>
                <dd>
                  <InlineCode text={meaning[locale]} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ) : null}
    </>
  );
}

function Pager({ page, at, go }: { page: LessonPage; at: string; go: (step: string) => void }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const { before, after } = neighbours(page, at);
  const step = page.steps.find((candidate) => candidate.id === at);
  const next = page.steps.find((candidate) => candidate.id === after);
  const solved = useLabState((state) => isSolved(state, at));
  const met = useLabState((state) =>
    state.verdict?.step === at ? state.verdict.checks.filter((check) => check.state === 'met').length : 0,
  );
  return (
    <nav className={styles.pager} aria-label={t('steps')}>
      {before === null ? (
        <span />
      ) : (
        <button type="button" className="btn" onClick={() => go(before)}>
          <Icon name="prev" />
          {t('previous')}
        </button>
      )}
      <span className="note">
        {step ? (solved ? t('stepDone') : t('checksToGo', { count: step.checks.length - met })) : ''}
      </span>
      {after === null ? (
        <>
          <button type="button" className="btn" onClick={() => window.print()}>
            <Icon name="print" />
            {t('print')}
          </button>
          <Link className="btn solid" href="/" prefetch={false}>
            {t('finish')}
          </Link>
        </>
      ) : (
        <button type="button" className={`btn ${solved ? 'solid' : ''}`} onClick={() => go(after)}>
          <span>{after === SHEET ? t('toSheet') : t('nextNamed', { title: next?.title[locale] ?? '' })}</span>
          <Icon name="next" />
        </button>
      )}
    </nav>
  );
}
