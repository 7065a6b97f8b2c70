// The first page: what there is to learn, how far one is, where to go on.
import type { Catalogue as CatalogueData } from '@drydock/protocol/pages.ts';
import Link from 'next/link';
import { useLocale, useTranslations } from 'next-intl';
import { LanguageSwitch } from '../frame/language-switch.tsx';
import { ThemeSwitch } from '../frame/theme-switch.tsx';
import type { Theme } from '../frame/theme.ts';
import { TopBar } from '../frame/top-bar.tsx';
import { Icon } from '../sign/sign.tsx';
import { doneOf, lessonHref, lessonState, minutesOf, resumeOf, type Resume } from './progress.ts';
import { RouteMap } from './route-map.tsx';
import { TrackList } from './track-list.tsx';
import styles from './catalogue.module.css';

export function Catalogue({ catalogue, theme }: { catalogue: CatalogueData; theme: Theme }) {
  const t = useTranslations('catalogue');
  const frame = useTranslations('frame');
  const locale = useLocale();
  const { tracks } = catalogue;
  const minutes = tracks.reduce((sum, track) => sum + minutesOf(track), 0);
  const lessons = tracks.flatMap((track) => track.lessons);
  const done = tracks.reduce((sum, track) => sum + doneOf(track), 0);
  const available = lessons.filter((lesson) => lesson.available).length;
  const duration = t('duration', { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
  const resume = resumeOf(catalogue);
  return (
    <>
      <TopBar>
        <nav className={styles.nav} aria-label={frame('lessons')}>
          <Link href="/" aria-current="page">
            {frame('lessons')}
          </Link>
        </nav>
        <span className="spacer" />
        <LanguageSwitch />
        <ThemeSwitch initial={theme} />
      </TopBar>
      <main className={styles.main} id="content">
        <div className={styles.intro}>
          <div>
            <h1>{t('title')}</h1>
            <p>
              {t('summary', { count: lessons.length, duration })}
              {locale === 'zh' ? '' : ' '}
              {done > 0 ? t('summaryDone', { count: done }) : t('summaryAvailable', { count: available })}
            </p>
          </div>
          {resume ? <ResumePlate resume={resume} /> : null}
        </div>
        <RouteMap catalogue={catalogue} />
        <TrackList catalogue={catalogue} />
      </main>
    </>
  );
}

function ResumePlate({ resume }: { resume: Resume }) {
  const t = useTranslations('catalogue');
  const locale = useLocale();
  const { lesson, track, step, minutesLeft } = resume;
  const begun = lessonState(lesson) === 'now';
  return (
    <div className={styles.resume}>
      <span>
        <b>
          {lesson.code} {lesson.title[locale]}
        </b>
        <span className="note">
          {begun
            ? t('stepOfLeft', { step, steps: lesson.steps, minutes: minutesLeft })
            : t('aboutMinutes', { minutes: lesson.minutes })}
        </span>
      </span>
      <Link className="btn solid" href={lessonHref(track, lesson)} prefetch={false}>
        <Icon name="play" />
        {begun ? t('resume') : t('start')}
      </Link>
    </div>
  );
}
