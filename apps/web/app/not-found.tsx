// What an address that leads nowhere shows.
import Link from 'next/link';
import { getTranslations } from 'next-intl/server';
import { TopBar } from '../features/frame/top-bar.tsx';
import styles from './message-page.module.css';

export default async function NotFound() {
  const t = await getTranslations('frame');
  return (
    <>
      <TopBar>
        <span />
      </TopBar>
      <main className={styles.main} id="content">
        <h1>{t('notFound')}</h1>
        <p>{t('notFoundText')}</p>
        <Link className="btn solid" href="/">
          {t('toLessons')}
        </Link>
      </main>
    </>
  );
}
