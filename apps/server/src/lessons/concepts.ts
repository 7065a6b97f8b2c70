// lessons/concepts.yaml: which step teaches which concept of the source texts. Looks up that steps and glossary terms
// exist, and, where the source texts are at hand, that each quote stands in them word for word.
import { z } from 'zod';
import { textSchema } from '@drydock/protocol/lesson.ts';
import { lessonFiles } from './lesson-files.ts';
import type { Library } from './library.ts';
import type { Problem } from './problem.ts';
import { readYaml } from './yaml-file.ts';

const FILE = 'concepts.yaml';

const conceptsSchema = z.array(
  z.strictObject({
    /** File name of the source text. */
    seed: z.string().regex(/^[\w.-]+\.txt$/, 'must be the name of a text file'),
    quote: z.string().min(2),
    /** Where it is taught: track/lesson/step. */
    step: z.string(),
    /** A term of that lesson's glossary. */
    term: textSchema,
    /** What the source has wrong or out of date, and the lesson has right. */
    corrects: textSchema.optional(),
  }),
);

/** Everything wrong with concepts.yaml. `seeds`: the folder of the source texts; null: quotes are not looked up. */
export function conceptProblems(directory: string, library: Library, seeds: string | null): Problem[] {
  const files = lessonFiles(directory);
  const problems: Problem[] = [];
  const text = files.read(FILE, problems);
  if (text === null) return problems;
  const parsed = readYaml(FILE, text, conceptsSchema);
  problems.push(...parsed.problems);
  const sources = seeds === null ? null : lessonFiles(seeds);
  for (const [index, { seed, quote, step, term }] of (parsed.value ?? []).entries()) {
    const fault = (field: string, message: string): void =>
      void problems.push(parsed.problemAt([index, field], message));
    const lesson = lessonOf(library, step);
    if (!lesson) fault('step', `"${step}" is no step of a lesson that is ready: write track/lesson/step`);
    else if (!lesson.glossary.some((entry) => entry.term.en === term.en && entry.term.zh === term.zh))
      fault('term', `"${term.en}" / "${term.zh}" is not in the glossary of ${lesson.id}`);
    if (!sources) continue;
    const source = sources.has(seed) ? sources.read(seed, []) : null;
    if (source === null) fault('seed', `there is no readable "${seed}" among the source texts`);
    else if (!source.includes(quote)) fault('quote', `"${quote}" does not stand in "${seed}" word for word`);
  }
  return problems;
}

function lessonOf({ tracks }: Library, path: string) {
  const [track, lesson, step] = path.split('/');
  const content = tracks.find(({ id }) => id === track)?.lessons.find(({ id }) => id === lesson)?.content;
  return content?.steps.some(({ id }) => id === step) ? content.lesson : null;
}
