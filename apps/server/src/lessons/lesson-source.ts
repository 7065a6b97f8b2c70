// Where the running lab gets its lessons: read once; or, for an author's preview, one lesson, read again when its files
// change. A change that breaks it is told, and what was good before goes on being shown.
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findLesson, loadLessons, type Library } from './library.ts';
import { formatProblem } from './problem.ts';

/** The lessons as they are now. `preview`: "B/b2-pid", or null for all of them. */
export function lessonSource(
  directory: string,
  preview: string | null,
  tell: (sentence: string) => void,
): () => Library {
  let library = loadLessons(directory);
  for (const problem of library.problems) tell(formatProblem(problem));
  if (preview === null) return () => library;
  const [track = '', lesson = ''] = preview.split('/');
  if (!findLesson(library, track, lesson)?.content)
    throw new Error(`Cannot preview "${preview}": there is no such lesson, or it is broken; write TRACK/LESSON`);
  library = only(library, track, lesson);
  let stamp = stampOf(directory);
  return () => {
    const now = stampOf(directory);
    if (now === stamp) return library;
    stamp = now;
    const fresh = loadLessons(directory);
    const found = findLesson(fresh, track, lesson);
    for (const problem of found?.problems ?? fresh.problems) tell(formatProblem(problem));
    tell(found?.content ? `${preview}: read again` : `${preview}: what was there before is still shown`);
    if (found?.content) library = only(fresh, track, lesson);
    return library;
  };
}

function only(library: Library, track: string, lesson: string): Library {
  const tracks = library.tracks
    .filter(({ id }) => id === track)
    .map((found) => ({ ...found, needs: [], lessons: found.lessons.filter(({ id }) => id === lesson) }));
  return { tracks, problems: tracks.flatMap(({ lessons }) => lessons.flatMap(({ problems }) => problems)) };
}

/** Every file below, with the time it was changed: two bursts of writing within a millisecond are one. */
function stampOf(folder: string): string {
  return readdirSync(folder)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      // An editor's swap file may be gone by now.
      const stat = lstatSync(path, { throwIfNoEntry: false });
      return stat?.isDirectory() ? `${name}(${stampOf(path)})` : `${name} ${stat?.mtimeMs} ${stat?.size}`;
    })
    .join();
}
