// `/learn/TRACK/LESSON?step=…`: a lesson.
import type { Metadata } from 'next';
import { cookies } from 'next/headers';
import { notFound } from 'next/navigation';
import { getLocale } from 'next-intl/server';
import { cache } from 'react';
import { THEME_COOKIE, readTheme } from '../../../../features/frame/theme.ts';
import { LessonApp } from '../../../../features/lesson/lesson-app.tsx';
import { pageSource } from '../../../page-source.ts';

interface Props {
  params: Promise<{ track: string; lesson: string }>;
}

const read = cache(async (track: string, lesson: string) => {
  const { pages, learner } = await pageSource();
  return pages.lesson(learner, track, lesson);
});

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const { track, lesson } = await params;
  const page = await read(track, lesson);
  return page ? { title: page.lesson.title[await getLocale()] } : {};
}

export default async function Lesson({ params }: Props) {
  const { track, lesson } = await params;
  const page = await read(track, lesson);
  if (!page) notFound();
  return <LessonApp page={page} theme={readTheme((await cookies()).get(THEME_COOKIE)?.value)} />;
}
