// `npm run lessons -- new`: a lesson's folder that validates and can be solved, with every text still to be filled in.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseDocument } from 'yaml';
import type { Library } from './library.ts';

const TEMPLATE = join(import.meta.dirname, 'template');
const STEP = /^[1-9][0-9]*-[a-z0-9-]+$/;
/** What stands where the author has to write. */
export const PLACEHOLDER = /FILL IN:|待填：/;

/** Makes the folder of a lesson that its track names already. `where`: "B/b3-mnt". Throws one sentence; then nothing was made. */
export function newLesson(directory: string, library: Library, where: string, steps: readonly string[]): string[] {
  const [trackId, lessonId, ...more] = where.split('/');
  const track = library.tracks.find(({ id }) => id === trackId);
  if (!track || !lessonId || more.length > 0) {
    const known = library.tracks.map(({ id }) => id).join(', ');
    throw new Error(`Cannot make lesson "${where}": write TRACK/LESSON, the track being one of ${known}`);
  }
  const lesson = track.lessons.find(({ id }) => id === lessonId);
  if (!lesson)
    throw new Error(
      `Cannot make lesson "${where}": ${track.folder}/track.yaml does not name it; add it there first, with code, title and minutes`,
    );
  const folder = join(directory, track.folder, lesson.id);
  if (existsSync(folder)) throw new Error(`Cannot make lesson "${where}": "${folder}" is there already`);
  const wrong = steps.find((step, index) => !STEP.test(step) || steps.indexOf(step) !== index);
  if (wrong !== undefined)
    throw new Error(`Cannot make step "${wrong}": a step is named once, and like 1-some-name, with its number first`);

  try {
    mkdirSync(folder);
    const yaml = parseDocument(readFileSync(join(TEMPLATE, 'lesson.yaml'), 'utf8'));
    yaml.set('id', lesson.id);
    yaml.setIn(['title', 'en'], lesson.title.en);
    yaml.setIn(['title', 'zh'], lesson.title.zh);
    yaml.set('minutes', lesson.minutes);
    yaml.set('steps', yaml.createNode(steps, { flow: true }));
    writeFileSync(join(folder, 'lesson.yaml'), yaml.toString({ lineWidth: 0 }));
    for (const name of ['en.md', 'zh.md']) copyFileSync(join(TEMPLATE, name), join(folder, name));
    for (const step of steps) {
      mkdirSync(join(folder, step));
      for (const name of readdirSync(join(TEMPLATE, 'step')))
        copyFileSync(join(TEMPLATE, 'step', name), join(folder, step, name));
    }
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  return filesBelow(folder).map((file) => relative(directory, file));
}

/** Every line of a lesson's files that waits to be written: "b-namespaces/b3-mnt/en.md:3". */
export function placesToFill(directory: string, library: Library): string[] {
  return library.tracks.flatMap((track) =>
    track.lessons
      .filter(({ state }) => state !== 'absent')
      .flatMap(({ id }) => filesBelow(join(directory, track.folder, id)))
      .flatMap((file) =>
        readFileSync(file, 'utf8')
          .split('\n')
          .flatMap((line, index) => (PLACEHOLDER.test(line) ? [`${relative(directory, file)}:${index + 1}`] : [])),
      ),
  );
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path);
      return entry.isFile() ? [path] : [];
    });
}
