// The bar on top of every page: brand on the left, what the page gives, then the page's own controls.
import Link from 'next/link';
import { useTranslations } from 'next-intl';
import type { ReactNode } from 'react';
import { Mark } from '../sign/sign.tsx';
import styles from './top-bar.module.css';

export function TopBar({ children, bare = false }: { children: ReactNode; bare?: boolean }) {
  const t = useTranslations('frame');
  return (
    <header className={styles.bar}>
      <Link className={styles.brand} href="/" aria-label={t('allLessons')} prefetch={false}>
        <Mark />
        {bare ? null : <span>{t('brand')}</span>}
      </Link>
      {children}
    </header>
  );
}
