// The recorded snapshots, for tests: real states of the kernel, and what a test needs to judge them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { snapshotSchema, type ObservedProcess, type Snapshot } from '@drydock/engine/model/observed.ts';
import { findLesson, loadLessons, type LoadedLesson } from '../lessons/library.ts';
import type { LoadedStep } from '../lessons/step-folder.ts';
import type { Context } from './evaluate.ts';

export function recorded(name: string): Snapshot {
  return snapshotSchema.parse(JSON.parse(readFileSync(join(import.meta.dirname, 'recorded', `${name}.json`), 'utf8')));
}

/** A step that began before anything in the recording happened. */
export const CONTEXT: Context = { language: 'en', stepStartedAtMs: 0, baseline: new Set() };

const LESSONS = join(import.meta.dirname, '../../../../lessons');

let lesson: LoadedLesson | null = null;

/** A step of lesson B2, as the learner meets it. */
export function stepOfB2(id: string): LoadedStep {
  lesson ??= findLesson(loadLessons(LESSONS), 'B', 'b2-pid');
  const step = lesson?.content?.steps.find((candidate) => candidate.id === id);
  if (!step) throw new Error(`Cannot test step "${id}": ${JSON.stringify(lesson?.problems)}`);
  return step;
}

/** The one process of a recording with these numbers. */
export function processOf(snapshot: Snapshot, pids: number[]): ObservedProcess {
  const found = snapshot.processes.find((process) => process.pids.join() === pids.join());
  if (!found) throw new Error(`Cannot find the process ${pids.join(' ')}: it is not in the recording`);
  return found;
}
