// What the catalogue says of progress: pure readings of the data, so that map, plate and lists can never disagree.
import type { Catalogue, CatalogueTrack } from '@drydock/protocol/pages.ts';

export type CatalogueLesson = CatalogueTrack['lessons'][number];
export type LessonState = 'done' | 'now' | 'ready' | 'later';

export interface Resume {
  track: CatalogueTrack;
  lesson: CatalogueLesson;
  /** 1-based number of the first unsolved step. */
  step: number;
  minutesLeft: number;
}

/** done: every step solved; now: begun; ready: open, not begun; later: not written yet. */
export function lessonState(lesson: CatalogueLesson): LessonState {
  if (!lesson.available) return 'later';
  if (lesson.steps > 0 && lesson.stepsSolved >= lesson.steps) return 'done';
  return lesson.stepsSolved > 0 ? 'now' : 'ready';
}

/** The part of a lesson that is done, 0 to 1. */
export function fractionDone(lesson: CatalogueLesson): number {
  return lesson.steps === 0 ? 0 : Math.min(1, lesson.stepsSolved / lesson.steps);
}

export function minutesOf(track: CatalogueTrack): number {
  return track.lessons.reduce((sum, lesson) => sum + lesson.minutes, 0);
}

export function doneOf(track: CatalogueTrack): number {
  return track.lessons.filter((lesson) => lessonState(lesson) === 'done').length;
}

/** The lesson to go on with: one that was begun, else the first open one, else null. */
export function resumeOf(catalogue: Catalogue): Resume | null {
  const all = catalogue.tracks.flatMap((track) => track.lessons.map((lesson) => ({ track, lesson })));
  const found =
    all.find(({ lesson }) => lessonState(lesson) === 'now') ??
    all.find(({ lesson }) => lessonState(lesson) === 'ready');
  if (!found) return null;
  const { lesson } = found;
  const left = Math.max(1, Math.round(lesson.minutes * (1 - fractionDone(lesson))));
  return { ...found, step: Math.min(lesson.steps, lesson.stepsSolved + 1), minutesLeft: left };
}

/** Where a lesson's link leads: its first unsolved step, or its beginning. */
export function lessonHref(track: CatalogueTrack, lesson: CatalogueLesson): string {
  const step = lesson.stepsSolved > 0 && lesson.resumeAt ? `?step=${encodeURIComponent(lesson.resumeAt)}` : '';
  return `/learn/${track.id}/${lesson.id}${step}`;
}
