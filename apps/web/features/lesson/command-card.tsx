'use client';
// One command of a step: its text, what its flags mean, copy, run. Runs only after the prediction.
import type { PublicStep } from '@drydock/protocol/pages.ts';
import { useLocale, useTranslations } from 'next-intl';
import { useState, type CSSProperties } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { Icon } from '../sign/sign.tsx';
import { terminalFor } from '../terminal/terminal-number.ts';
import { calloutsOf } from './flag-callouts.ts';
import { useViews } from './views.tsx';
import styles from './command-card.module.css';

type Command = PublicStep['commands'][number];
/** Characters that fit beside each other in the narrowest column that shows callouts. */
const COLUMNS = 51;

export function CommandCard({ step, command }: { step: PublicStep; command: Command }) {
  const t = useTranslations('lesson');
  const locale = useLocale();
  const lab = useLab();
  const { showTerminal } = useViews();
  const predicted = useLabState((state) => (state.progress[step.id]?.predicted ?? null) !== null);
  const online = useLabState((state) => state.connection === 'online' && state.openStep === step.id);
  const [copied, setCopied] = useState(false);
  const flags = command.flags.map(({ flag, text }) => ({ flag, text: text[locale] }));
  const callouts = command.form === 'full' ? calloutsOf(command.run, flags, COLUMNS) : null;

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(command.run);
      setCopied(true);
      setTimeout(() => setCopied(false), 2000);
    } catch {
      lab.say('warn', t('copyFailed'));
    }
  };
  const run = async () => {
    if (!predicted || !online) return;
    const terminal =
      terminalFor(lab.store.getState().terminals, command.terminal) ??
      (await lab.ask('terminal:open', { cols: 80, rows: 24 }));
    if (!terminal) return;
    showTerminal(terminal.id);
    await lab.ask('step:run', { command: command.run, terminal: terminal.id });
  };
  return (
    <section
      className={`${styles.card} ${callouts ? styles.withCallouts : ''}`}
      aria-labelledby={`command-${step.id}-${command.id}`}
    >
      <header>
        <h2 className="note" id={`command-${step.id}-${command.id}`}>
          {t(command.form === 'full' ? 'command' : 'commandBlanks')}
        </h2>
        {command.form === 'full' ? (
          <>
            <button
              type="button"
              className="btn sm icon quiet"
              aria-label={copied ? t('copied') : t('copy')}
              title={copied ? t('copied') : t('copy')}
              onClick={() => void copy()}
            >
              <Icon name={copied ? 'check' : 'copy'} />
            </button>
            <button
              type="button"
              className="btn sm solid"
              aria-disabled={!predicted || !online}
              onClick={() => void run()}
            >
              <Icon name="play" />
              {predicted ? t('run', { number: command.terminal }) : t('predictFirst')}
            </button>
          </>
        ) : null}
      </header>
      <pre tabIndex={0}>
        <code>{command.form === 'full' ? command.run : <Blanks command={command} />}</code>
      </pre>
      {callouts ? (
        <ul className={styles.callouts} style={{ height: callouts.length * 17 + 7 }}>
          {callouts.map(({ flag, text, at, row }) => (
            <li key={flag} style={{ '--at': at, '--row': row } as CSSProperties}>
              <b>{flag}</b> <span>{text}</span>
            </li>
          ))}
        </ul>
      ) : flags.length > 0 ? (
        <ul className={styles.list}>
          {flags.map(({ flag, text }, index) => (
            <li key={flag}>
              <b>{command.form === 'full' ? flag : index + 1}</b> <span>{text}</span>
            </li>
          ))}
        </ul>
      ) : null}
    </section>
  );
}

/** The command with its flags blanked out and numbered: what each blank is for stands in the list below. */
function Blanks({ command }: { command: Command }) {
  let rest = command.run;
  const parts: (string | number)[] = [];
  command.flags.forEach(({ flag }, index) => {
    const at = rest.indexOf(flag);
    if (at < 0) return;
    parts.push(rest.slice(0, at), index + 1);
    rest = rest.slice(at + flag.length);
  });
  return (
    <>
      {parts.map((part) =>
        typeof part === 'string' ? (
          part
        ) : (
          <span key={part}>
            <span className={styles.blank}>______</span>({part})
          </span>
        ),
      )}
      {rest}
    </>
  );
}
