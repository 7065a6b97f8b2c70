// `npm run lessons -- validate|solve|new`: the content's own tools. Says what is wrong, and answers with an exit code.
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { LANGUAGES } from '@drydock/protocol/lesson.ts';
import { conceptProblems } from './concepts.ts';
import { loadLessons, type Library } from './library.ts';
import { newLesson, placesToFill } from './new-lesson.ts';
import { formatProblem } from './problem.ts';
import { countsOf, solveLessons, type LessonReport } from './solve/solve.ts';

const USAGE = `Usage: npm run lessons -- <command> [options]

  validate   reads every lesson and says, with file, line and field, what is wrong
  solve      types each solution and each wrong attempt in a real sandbox of a running engine
             (npm run engine) and judges them by the checks
  new TRACK/LESSON [STEP…]
             makes the folder of a lesson that its track.yaml names; it validates, and every text that is
             still to be written says so. Steps are named like 1-some-name; without any there is one
  preview TRACK/LESSON [--port N]
             serves this one lesson, as its files are at each reload of the page, with a running engine
             (npm run engine)

  --json FILE     also writes the result as JSON
  --lessons DIR   another folder than lessons/
  --seeds DIR     validate: look up the quotes of concepts.yaml in the source texts there
  --only LESSON   solve: one lesson, by its id
`;

const PROJECT = join(import.meta.dirname, '../../../..');

export interface Output {
  out: (text: string) => void;
  err: (text: string) => void;
}

/** Runs one command; 0: all is well, 1: something is wrong with the content, 2: it was called wrongly. */
export async function runLessonsCommand(
  argv: string[],
  env: Readonly<Record<string, string | undefined>>,
  { out, err }: Output,
): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: argv,
      allowPositionals: true,
      options: {
        json: { type: 'string' },
        lessons: { type: 'string' },
        seeds: { type: 'string' },
        only: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    err(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help) {
    out(USAGE);
    return 0;
  }
  const isCommand = command === 'new' ? rest.length > 0 : command === 'validate' || command === 'solve';
  if (!isCommand || (command !== 'new' && rest.length > 0)) {
    err(command === undefined ? USAGE : `Cannot run "${positionals.join(' ')}": there is no such command\n\n${USAGE}`);
    return 2;
  }
  const directory = values.lessons ?? join(PROJECT, 'lessons');
  const library = loadLessons(directory);
  if (command === 'new') return makeNew(directory, library, rest, { out, err });
  const problems = [...library.problems, ...conceptProblems(directory, library, values.seeds ?? null)];
  for (const problem of problems) err(formatProblem(problem));

  if (command === 'validate') {
    const places = placesToFill(directory, library);
    if (places.length > 0) err(`Still to be filled in:\n${places.map((place) => `  ${place}`).join('\n')}`);
    if (values.json !== undefined) writeJson(values.json, validated(library));
    out(validationCounts(library, problems.length));
    return problems.length === 0 ? 0 : 1;
  }

  // lab.sock stands beside engine.sock, wherever that is.
  const socket = join(
    dirname(env['DRYDOCK_SOCKET'] ?? join(env['DRYDOCK_RUN'] ?? '/run/drydock', 'engine.sock')),
    'lab.sock',
  );
  if (!existsSync(socket)) {
    err(`Cannot solve the lessons: no engine listens at "${socket}". Start one: npm run engine`);
    return 1;
  }
  let reports: LessonReport[];
  try {
    reports = await solveLessons(library, { socket, only: values.only, note: err });
  } catch (error) {
    err(`Cannot solve the lessons: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
  const faults = reports.flatMap(({ steps }) => steps.flatMap((step) => step.faults));
  for (const fault of faults) err(fault);
  if (values.json !== undefined) writeJson(values.json, reports);
  out(countsOf(reports));
  if (reports.length === 0)
    err(values.only === undefined ? 'No lesson is ready' : `No lesson "${values.only}" is ready`);
  return faults.length === 0 && problems.length === 0 && reports.length > 0 ? 0 : 1;
}

function makeNew(directory: string, library: Library, [where = '', ...steps]: string[], { out, err }: Output): number {
  try {
    const made = newLesson(directory, library, where, steps.length > 0 ? steps : ['1-first-step']);
    out(made.join('\n'));
    out('Fill in what says "FILL IN:" and "待填：". "npm run lessons -- validate" says what is left of it.');
    return 0;
  } catch (error) {
    err(error instanceof Error ? error.message : String(error));
    return 1;
  }
}

/** What `validate` knows of a step without running it: the same shape as `solve`, without results. */
function validated(library: Library) {
  return library.tracks.flatMap((track) =>
    track.lessons
      .filter(({ state }) => state !== 'absent')
      .map(({ id, state, content, problems }) => ({
        track: track.id,
        lesson: id,
        state,
        problems,
        languages: LANGUAGES,
        steps: (content?.steps ?? []).map((step) => ({
          id: step.id,
          wrong: [...step.wrong.keys()].map((file) => ({ file, expectedHint: step.step.wrong[file]?.hint ?? null })),
        })),
      })),
  );
}

function validationCounts({ tracks }: Library, problems: number): string {
  const lessons = tracks.flatMap((track) => track.lessons);
  const count = (state: string): number => lessons.filter((lesson) => lesson.state === state).length;
  const steps = lessons.reduce((sum, { content }) => sum + (content?.steps.length ?? 0), 0);
  return `${tracks.length} tracks, ${lessons.length} lessons: ${count('ready')} ready (${steps} steps), ${count('absent')} not yet written, ${count('broken')} broken; ${problems} problems`;
}

function writeJson(file: string, reports: readonly LessonReport[] | readonly object[]): void {
  const text = JSON.stringify(reports, (key, value: unknown) => (key === 'faults' ? undefined : value), 2);
  writeFileSync(file, `${text}\n`);
}
