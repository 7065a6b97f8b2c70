'use client';
// A modal question, by the browser's own <dialog>: it keeps the focus inside, closes on Escape, gives the focus back.
import { useTranslations } from 'next-intl';
import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Icon } from '../sign/sign.tsx';
import styles from './dialog.module.css';

export function Dialog({
  open,
  title,
  onClose,
  children,
}: {
  open: boolean;
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const t = useTranslations('frame');
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) dialog.showModal();
    if (!open && dialog.open) dialog.close();
  }, [open]);
  return (
    <dialog ref={ref} className={styles.dialog} aria-labelledby={id} onClose={onClose}>
      {open ? (
        <>
          <div className={styles.head}>
            <h2 id={id}>{title}</h2>
            <button type="button" className="btn quiet icon" aria-label={t('close')} onClick={onClose}>
              <Icon name="cross" />
            </button>
          </div>
          <div className={styles.body}>{children}</div>
        </>
      ) : null}
    </dialog>
  );
}
