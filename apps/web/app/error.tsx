'use client';
// What a page shows when the server failed to make it.
import { useTranslations } from 'next-intl';
import styles from './message-page.module.css';

export default function PageError({ reset }: { error: Error; reset: () => void }) {
  const t = useTranslations('frame');
  return (
    <main className={styles.main} id="content">
      <h1>{t('failed')}</h1>
      <p>{t('failedText')}</p>
      <div className={styles.actions}>
        <button type="button" className="btn solid" onClick={reset}>
          {t('retry')}
        </button>
        <a className="btn" href="/">
          {t('toLessons')}
        </a>
      </div>
    </main>
  );
}
