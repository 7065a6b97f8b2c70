// What the pages show: the library's public side and the learner's progress. Answers, hint texts and solutions stay here.
import type { CatalogueTrack, LessonPage, PageSource, PublicStep } from '@drydock/protocol/pages.ts';
import type { Library } from '../lessons/library.ts';
import { findLesson, type LoadedLesson } from '../lessons/library.ts';
import type { LoadedStep } from '../lessons/step-folder.ts';
import type { Steps } from '../repositories/steps.ts';

/** How many hints a step opens at most. */
const HINTS = 3;

/** The source for the pages. `library` is asked each time: lessons may be read again while the lab runs. */
export function pageSource(library: () => Library, steps: Pick<Steps, 'solved' | 'ofLesson'>): PageSource {
  return {
    catalogue: async (learner) => {
      const solved = new Set(
        (await steps.solved(learner)).map(({ track, lesson, step }) => `${track}/${lesson}/${step}`),
      );
      return {
        tracks: library().tracks.map(({ id, title, subtitle, needs, lessons }): CatalogueTrack => ({
          id,
          title,
          subtitle,
          needs,
          lessons: lessons.map((lesson) => catalogueLesson(id, lesson, solved)),
        })),
      };
    },
    lesson: async (learner, track, lesson) => {
      const found = findLesson(library(), track, lesson);
      const title = library().tracks.find(({ id }) => id === track)?.title;
      if (!found?.content || !title) return null;
      const { content, code } = found;
      const { id, minutes, opens, glossary } = content.lesson;
      const page: LessonPage = {
        track: { id: track, title },
        lesson: {
          id,
          title: content.lesson.title,
          minutes,
          opens,
          glossary,
          code,
          opening: { en: content.prose.en.opening, zh: content.prose.zh.opening },
          sheet: { en: content.prose.en.sheet, zh: content.prose.zh.sheet },
        },
        steps: content.steps.map(publicStep),
        progress: await steps.ofLesson(learner, track, lesson),
      };
      return page;
    },
  };
}

function catalogueLesson(
  track: string,
  { id, code, title, minutes, content }: LoadedLesson,
  solved: ReadonlySet<string>,
): CatalogueTrack['lessons'][number] {
  const steps = content?.steps ?? [];
  const unsolved = steps.filter((step) => !solved.has(`${track}/${id}/${step.id}`));
  return {
    id,
    code,
    title,
    minutes,
    available: content !== null,
    steps: steps.length,
    stepsSolved: steps.length - unsolved.length,
    resumeAt: unsolved[0]?.id ?? null,
  };
}

/** Field by field, so that nothing new in the format becomes public by itself. */
function publicStep({ id, step, prose }: LoadedStep): PublicStep {
  const { question, options, outcome, observe } = step.predict;
  return {
    id,
    title: step.title,
    minutes: step.minutes,
    prose,
    predict: { question, options, outcome, observe },
    commands: step.commands,
    checks: step.checks.map(({ id: check, label }) => ({ id: check, label })),
    hintCount: Math.min(HINTS, step.hints.length),
    explain: {
      question: step.explain.question,
      options: step.explain.options.map(({ id: option, label }) => ({ id: option, label })),
    },
    citations: step.citations,
  };
}
