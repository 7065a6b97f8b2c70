// The lesson's own text: HTML that the server made from Markdown and sanitised (pages.ts). Nothing is parsed here.
import { memo } from 'react';
import styles from './prose.module.css';

export const Prose = memo(function Prose({ html }: { html: string }) {
  return <div className={styles.prose} dangerouslySetInnerHTML={{ __html: html }} />;
});
