'use client';
// Sentences for the learner: a lost connection, an announced end (with Extend), what the server has to say.
import { useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { Icon } from '../sign/sign.tsx';
import { clock } from './format.ts';
import { useNow } from './use-now.ts';
import styles from './notices.module.css';

export function Notices() {
  const t = useTranslations('sandbox');
  const lab = useLab();
  const offline = useLabState((state) => state.connection === 'offline');
  const held = useLabState((state) => state.heldCharacters);
  const ending = useLabState((state) => (state.connection === 'online' ? (state.sandbox?.ending ?? null) : null));
  const message = useLabState((state) =>
    state.connection === 'online' && state.sandbox?.state !== 'running' ? (state.sandbox?.message ?? null) : null,
  );
  const notices = useLabState((state) => state.notices);
  const extend = async () => {
    const status = await lab.ask('sandbox:extend', {});
    if (status) lab.store.setState({ sandbox: status });
  };
  return (
    <div className={styles.notices} role="region" aria-live="polite" aria-label={t('label')}>
      {offline ? (
        <Notice kind="warn">
          {t('connectionLost')} {held > 0 ? t('keysWaiting', { count: held }) : null}
        </Notice>
      ) : null}
      {message === null ? null : <Notice kind="warn">{message}</Notice>}
      {ending ? (
        <Notice
          kind="warn"
          action={
            <button type="button" className="btn sm solid" onClick={() => void extend()}>
              {t('extend')}
            </button>
          }
        >
          {ending.reason} <Countdown atMs={ending.atMs} />
        </Notice>
      ) : null}
      {notices.map((notice) => (
        <Notice
          key={notice.id}
          kind={notice.kind}
          action={
            <button
              type="button"
              className="btn sm quiet icon"
              aria-label={t('dismiss')}
              onClick={() => lab.dismiss(notice.id)}
            >
              <Icon name="cross" />
            </button>
          }
        >
          {notice.text}
        </Notice>
      ))}
    </div>
  );
}

/** Ticks for the eyes; a live region that speaks every second would drown everything else. */
function Countdown({ atMs }: { atMs: number }) {
  const t = useTranslations('sandbox');
  const now = useNow();
  return <span aria-live="off">{now === null ? '' : t('left', { time: clock(atMs - now) })}</span>;
}

function Notice({
  kind,
  action,
  children,
}: {
  kind: 'info' | 'warn' | 'error';
  action?: ReactNode;
  children: ReactNode;
}) {
  return (
    <div className={`${styles.notice} ${styles[kind] ?? ''}`}>
      <Icon name={kind === 'info' ? 'flag' : 'warn'} />
      <p>{children}</p>
      {action ?? <span />}
    </div>
  );
}
