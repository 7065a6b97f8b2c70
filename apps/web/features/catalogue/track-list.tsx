// The tracks in words: one card a track, its lessons in order, what is done, open and not yet available.
import type { Catalogue, CatalogueTrack } from '@drydock/protocol/pages.ts';
import Link from 'next/link';
import { useLocale, useTranslations } from 'next-intl';
import type { CSSProperties } from 'react';
import { Icon } from '../sign/sign.tsx';
import { doneOf, fractionDone, lessonHref, lessonState, type CatalogueLesson } from './progress.ts';
import styles from './track-list.module.css';

const STATE_WORD = { done: 'stateDone', now: 'stateNow', ready: 'stateReady', later: 'stateLater' } as const;

export function TrackList({ catalogue }: { catalogue: Catalogue }) {
  return (
    <div className={styles.tracks}>
      {catalogue.tracks.map((track) => (
        <TrackCard key={track.id} track={track} all={catalogue.tracks} />
      ))}
    </div>
  );
}

function TrackCard({ track, all }: { track: CatalogueTrack; all: CatalogueTrack[] }) {
  const t = useTranslations('catalogue');
  const locale = useLocale();
  const open = track.lessons.some((lesson) => lesson.available);
  const done = doneOf(track);
  const count = track.lessons.length;
  const needs = track.needs.map((id) => all.find((other) => other.id === id)?.title[locale] ?? id);
  return (
    <article className={styles.track} aria-labelledby={`track-${track.id}`}>
      <header className={`${styles.head} ${open ? '' : styles.closed}`}>
        <h2 id={`track-${track.id}`}>{track.title[locale]}</h2>
        <span className="note">{t('doneOf', { done, count })}</span>
        <p>{track.subtitle[locale]}</p>
        <span className="note">
          {needs.length === 0 ? t('startHere') : t('needs', { tracks: needs.join(locale === 'zh' ? '、' : ', ') })}
        </span>
      </header>
      <div className={styles.bar} role="img" aria-label={t('progressLabel', { done, count })}>
        {track.lessons.map((lesson) => (
          <i
            key={lesson.id}
            className={styles[lessonState(lesson)]}
            style={{ flex: lesson.minutes, '--part': `${fractionDone(lesson) * 100}%` } as CSSProperties}
          />
        ))}
      </div>
      <ol>
        {track.lessons.map((lesson) => (
          <LessonItem key={lesson.id} track={track} lesson={lesson} />
        ))}
      </ol>
    </article>
  );
}

function LessonItem({ track, lesson }: { track: CatalogueTrack; lesson: CatalogueLesson }) {
  const t = useTranslations('catalogue');
  const locale = useLocale();
  const state = lessonState(lesson);
  return (
    <li className={`${styles.item} ${styles[state]}`}>
      {state === 'done' ? <Icon name="check" /> : <span className={styles.dot} aria-hidden="true" />}
      <span className={styles.code}>{lesson.code}</span>
      <span>
        <span className="vh">{t(STATE_WORD[state])} </span>
        {lesson.available ? (
          <Link href={lessonHref(track, lesson)} prefetch={false}>
            {lesson.title[locale]}
          </Link>
        ) : (
          lesson.title[locale]
        )}
      </span>
      <span className="note">
        {state === 'now' ? t('stepOf', { step: lesson.stepsSolved + 1, steps: lesson.steps }) : null}
      </span>
      <span className={styles.minutes}>
        {lesson.minutes}
        <span className="vh"> {t('minutes')}</span>
      </span>
    </li>
  );
}
