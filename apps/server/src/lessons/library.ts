// All lessons, read once: tracks in order, each lesson ready, absent (no folder yet) or broken (with the reasons).
// A broken file never stops the others.
import {
  lessonSchema,
  trackSchema,
  type Language,
  type Lesson,
  type Text,
  type Track,
} from '@drydock/protocol/lesson.ts';
import { lessonFiles, type LessonFiles } from './lesson-files.ts';
import type { Problem } from './problem.ts';
import { readProseFiles, readStepFolder, type LoadedStep } from './step-folder.ts';
import { readYaml } from './yaml-file.ts';

const LESSON_PARTS = ['opening', 'sheet'] as const;

export interface ReadyLesson {
  lesson: Lesson;
  /** HTML, by language. */
  prose: Record<Language, Record<(typeof LESSON_PARTS)[number], string>>;
  steps: LoadedStep[];
}

export interface LoadedLesson {
  id: string;
  code: string;
  title: Text;
  minutes: number;
  state: 'ready' | 'absent' | 'broken';
  /** Set when `state` is ready. */
  content: ReadyLesson | null;
  problems: Problem[];
}

export interface LoadedTrack {
  id: string;
  folder: string;
  title: Text;
  subtitle: Text;
  needs: string[];
  lessons: LoadedLesson[];
}

export interface Library {
  /** A to I, then the capstone. */
  tracks: LoadedTrack[];
  /** Everything that is wrong, of all files. */
  problems: Problem[];
}

/** Reads the lessons folder; prose is rendered here, once. Throws nothing for what the files say. */
export function loadLessons(directory: string): Library {
  const files = lessonFiles(directory);
  const problems: Problem[] = [];
  const tracks: LoadedTrack[] = [];
  for (const folder of files.folders('.')) {
    const file = `${folder}/track.yaml`;
    const yaml = files.read(file, problems);
    const parsed = yaml === null ? null : readYaml(file, yaml, trackSchema);
    problems.push(...(parsed?.problems ?? []));
    if (!parsed?.value) continue;
    const twin = tracks.find(({ id }) => id === parsed.value?.id);
    if (twin) {
      problems.push(
        parsed.problemAt(['id'], `"${twin.id}" is the id of ${twin.folder}/track.yaml, too: each track has its own`),
      );
      continue;
    }
    const track = loadTrack(files, folder, parsed.value);
    parsed.value.lessons.forEach(({ id }, index) => {
      if (parsed.value?.lessons.findIndex((other) => other.id === id) !== index)
        problems.push(parsed.problemAt(['lessons', index, 'id'], `"${id}" is there twice`));
    });
    problems.push(...track.lessons.flatMap((lesson) => lesson.problems), ...strayFolders(files, track));
    tracks.push(track);
  }
  tracks.sort((a, b) => order(a.id) - order(b.id));
  for (const { id, folder, needs } of tracks)
    for (const need of needs)
      if (!tracks.some((track) => track.id === need))
        problems.push({
          file: `${folder}/track.yaml`,
          line: null,
          field: 'needs',
          message: `track ${id} needs "${need}", and there is no such track`,
        });
  if (tracks.length === 0)
    problems.push({
      file: '.',
      line: null,
      field: null,
      message: `no track was found in "${directory}": it needs folders with a track.yaml`,
    });
  return { tracks, problems };
}

/** The lesson of a track, whatever its state; null if there is none of that name. */
export function findLesson(library: Library, track: string, lesson: string): LoadedLesson | null {
  return library.tracks.find(({ id }) => id === track)?.lessons.find(({ id }) => id === lesson) ?? null;
}

const order = (id: string): number => (id === 'capstone' ? Number.MAX_SAFE_INTEGER : id.charCodeAt(0));

function loadTrack(files: LessonFiles, folder: string, { id, title, subtitle, needs, lessons }: Track): LoadedTrack {
  return { id, folder, title, subtitle, needs, lessons: lessons.map((entry) => loadLesson(files, folder, entry)) };
}

function loadLesson(files: LessonFiles, track: string, entry: Track['lessons'][number]): LoadedLesson {
  const folder = `${track}/${entry.id}`;
  if (files.list(folder).length === 0) return { ...entry, state: 'absent', content: null, problems: [] };
  const problems: Problem[] = [];
  const file = `${folder}/lesson.yaml`;
  const yaml = files.read(file, problems);
  const parsed = yaml === null ? null : readYaml(file, yaml, lessonSchema);
  problems.push(...(parsed?.problems ?? []));
  const lesson = parsed?.value ?? null;
  const prose = readProseFiles(files, folder, LESSON_PARTS, problems);
  const steps: LoadedStep[] = [];
  if (parsed && lesson) {
    if (lesson.id !== entry.id)
      problems.push(parsed.problemAt(['id'], `is "${lesson.id}", and its folder is "${entry.id}"`));
    for (const language of ['en', 'zh'] as const)
      if (lesson.title[language] !== entry.title[language])
        problems.push(
          parsed.problemAt(
            ['title', language],
            `differs from the title in ${track}/track.yaml, "${entry.title[language]}"`,
          ),
        );
    if (lesson.minutes !== entry.minutes)
      problems.push(
        parsed.problemAt(['minutes'], `is ${lesson.minutes}, and ${track}/track.yaml says ${entry.minutes}`),
      );
    for (const [index, id] of lesson.steps.entries()) {
      if (lesson.steps.indexOf(id) !== index)
        problems.push(parsed.problemAt(['steps', index], `"${id}" is there twice`));
      const loaded = readStepFolder(files, `${folder}/${id}`, id);
      problems.push(...loaded.problems);
      if (loaded.step) steps.push(loaded.step);
    }
    for (const id of files.folders(folder))
      if (!lesson.steps.includes(id)) problems.push(parsed.problemAt(['steps'], `does not name the folder "${id}"`));
  }
  if (!lesson || !prose || problems.length > 0) return { ...entry, state: 'broken', content: null, problems };
  return { ...entry, state: 'ready', content: { lesson, prose, steps }, problems };
}

function strayFolders(files: LessonFiles, { folder, lessons }: LoadedTrack): Problem[] {
  return files
    .folders(folder)
    .filter((id) => !lessons.some((lesson) => lesson.id === id))
    .map((id) => ({
      file: `${folder}/track.yaml`,
      line: null,
      field: 'lessons',
      message: `does not name the folder "${id}"`,
    }));
}
