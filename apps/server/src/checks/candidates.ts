// Who may be P: the learner's processes, chosen from a snapshot by a step's `subject`. Pure.
import type { ObservedProcess } from '@drydock/engine/model/observed.ts';
import type { Step } from '@drydock/protocol/lesson.ts';
import { holds } from './facts.ts';
import { isAlive, type Subject, type World } from './world.ts';

/** The sandbox's own init: number 1, started from outside. */
function isSandboxInit(process: ObservedProcess): boolean {
  return process.parentKey === null && process.pids.length === 1 && process.pids[0] === 1;
}

/**
 * Does a process come from the learner's hands? True for what descends from a terminal's shell, and for orphans, which
 * the sandbox's init took over. False for what the engine put there: its init, and commands it runs (their parent is
 * outside the sandbox), with all that descends from them.
 */
export function isLearners(process: ObservedProcess, world: World): boolean {
  if (isSandboxInit(process)) return false;
  const seen = new Set<string>();
  for (let at: ObservedProcess | undefined = process; at; at = world.byKey.get(at.parentKey ?? '')) {
    if (at.terminal !== null) return true;
    if (at.parentKey === null) return isSandboxInit(at);
    if (seen.has(at.key)) return false;
    seen.add(at.key);
  }
  return true;
}

/** Every process that may be P, living ones and, where the step says so, ended ones. */
export function candidatesOf(step: Pick<Step, 'subject'>, world: World): Subject[] {
  const { terminals, ended, where, not } = step.subject;
  const living = learnersProcesses(world)
    .filter(({ living: process }) => terminals || process?.terminal === null)
    .filter((subject) => where.length === 0 || where.some((assertion) => holds(assertion, subject, world)))
    .filter((subject) => !not.some((assertion) => holds(assertion, subject, world)));
  if (!ended) return living;
  const exits = world.snapshot.exits
    .filter((exit) => exit.initOf !== null && exit.atMs >= world.context.stepStartedAtMs)
    .map((exit): Subject => ({ ended: exit }));
  return [...living, ...exits];
}

/** Every living process of the learner's, the terminals' shells included. */
export function learnersProcesses(world: World): Subject[] {
  return world.snapshot.processes
    .filter((process) => isAlive(process) && isLearners(process, world))
    .map((process): Subject => ({ living: process }));
}
