// `npm run lessons -- solve`: every lesson that is ready, step by step, in one sandbox of a running engine.
import { randomBytes } from 'node:crypto';
import { LANGUAGES, type Language } from '@drydock/protocol/lesson.ts';
import { EngineClient } from '../../engine-client/engine-client.ts';
import type { Library } from '../library.ts';
import { solveStep, type StepReport } from './solve-step.ts';

export interface LessonReport {
  track: string;
  lesson: string;
  languages: readonly Language[];
  steps: StepReport[];
}

export interface SolveOptions {
  /** The engine's lab.sock. */
  socket: string;
  /** Only the lesson of this id. */
  only?: string | undefined;
  note: (text: string) => void;
}

/** Solves all steps. A step that can't be tried at all is a fault of that step, and the others go on. */
export async function solveLessons(library: Library, { socket, only, note }: SolveOptions): Promise<LessonReport[]> {
  const engine = new EngineClient(socket);
  const sandbox = `lessons-${randomBytes(4).toString('hex')}`;
  const reports: LessonReport[] = [];
  try {
    await engine.create({ id: sandbox });
    for (const track of library.tracks)
      for (const { id, content } of track.lessons) {
        if (!content || (only !== undefined && only !== id)) continue;
        const steps: StepReport[] = [];
        for (const step of content.steps) {
          try {
            steps.push(await solveStep(engine, sandbox, step, note));
          } catch (error) {
            const fault = `${step.id}: ${error instanceof Error ? error.message : String(error)}`;
            steps.push({
              id: step.id,
              where: 'nowhere',
              solved: false,
              greenBefore: [],
              wrong: [],
              otherSolutionsGreen: false,
              faults: [fault],
            });
          }
        }
        reports.push({ track: track.id, lesson: id, languages: LANGUAGES, steps });
      }
  } finally {
    await engine.remove(sandbox).catch(() => {});
    engine.close();
  }
  return reports;
}

/** "lessons 1, steps 3, solved 3, wrong attempts 11, faults 0" */
export function countsOf(reports: readonly LessonReport[]): string {
  const steps = reports.flatMap((report) => report.steps);
  const wrong = steps.reduce((sum, step) => sum + step.wrong.length, 0);
  const faults = steps.reduce((sum, step) => sum + step.faults.length, 0);
  const solved = steps.filter((step) => step.solved).length;
  return `lessons ${reports.length}, steps ${steps.length}, solved ${solved}, wrong attempts ${wrong}, faults ${faults}`;
}
