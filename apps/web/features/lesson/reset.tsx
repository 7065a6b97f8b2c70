'use client';
// Reset: of the step, or of the whole sandbox. The question itself says what is lost.
import { useTranslations } from 'next-intl';
import { useState } from 'react';
import { useLab, useLabState } from '../connection/lab-context.tsx';
import { Icon } from '../sign/sign.tsx';
import { Dialog } from './dialog.tsx';
import styles from './reset.module.css';

export function Reset() {
  const t = useTranslations('sandbox');
  const lab = useLab();
  const online = useLabState((state) => state.connection === 'online' && state.openStep !== null);
  const [open, setOpen] = useState(false);
  const [working, setWorking] = useState(false);
  const reset = async (what: 'resetStep' | 'resetSandbox') => {
    setWorking(true);
    await lab[what]();
    setWorking(false);
    setOpen(false);
  };
  return (
    <>
      <button
        type="button"
        className={`btn ${styles.button}`}
        aria-haspopup="dialog"
        aria-label={t('reset')}
        disabled={!online}
        onClick={() => setOpen(true)}
      >
        <Icon name="reset" />
        <span>{t('reset')}</span>
      </button>
      <Dialog open={open} title={t('resetTitle')} onClose={() => setOpen(false)}>
        {(['resetStep', 'resetSandbox'] as const).map((what) => (
          <section key={what} className={styles.choice}>
            <h3>{t(what)}</h3>
            <p>{t(`${what}Text`)}</p>
            <button type="button" className="btn" disabled={working} onClick={() => void reset(what)}>
              <Icon name="reset" />
              {working ? t('resetting') : t(what)}
            </button>
          </section>
        ))}
      </Dialog>
    </>
  );
}
