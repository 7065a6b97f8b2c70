// When a container that ended is started again, and how long it waits for that. Pure.
import type { RestartPolicy } from './container-config.ts';
import { EngineError } from './engine-error.ts';

const FIRST_DELAY_MS = 100;
const LONGEST_DELAY_MS = 60_000;
/** Who ran so long is well again: the next wait is the first one. */
const WELL_MS = 10_000;

export interface EndedRun {
  readonly exitCode: number;
  readonly ranMs: number;
  readonly manuallyStopped: boolean;
  /** Times it was started again without anybody asking. */
  readonly restartCount: number;
  /** The wait before this run; 0 for a run somebody asked for. */
  readonly lastDelayMs: number;
}

/** Milliseconds until the next start; null: it stays ended. */
export function restartDelay(policy: RestartPolicy, ended: EndedRun): number | null {
  if (ended.manuallyStopped || !isWanted(policy, ended)) return null;
  if (ended.lastDelayMs === 0 || ended.ranMs >= WELL_MS) return FIRST_DELAY_MS;
  return Math.min(ended.lastDelayMs * 2, LONGEST_DELAY_MS);
}

function isWanted(policy: RestartPolicy, ended: EndedRun): boolean {
  if (policy.Name === 'always' || policy.Name === 'unless-stopped') return true;
  if (policy.Name !== 'on-failure' || ended.exitCode === 0) return false;
  return policy.MaximumRetryCount === 0 || ended.restartCount < policy.MaximumRetryCount;
}

/** Whether one that does not run is started with the daemon; `ended`: its last run. */
export function startsWithDaemon(policy: RestartPolicy, ended: EndedRun): boolean {
  // `always` means it: also what was stopped by hand (moby does the same).
  return policy.Name === 'always' || restartDelay(policy, ended) !== null;
}

/** Throws invalid_argument in Docker's words. */
export function checkRestartPolicy(policy: { Name: string; MaximumRetryCount: number }): void {
  const refuse = (why: string) => new EngineError('invalid_argument', `invalid restart policy: ${why}`);
  const { Name, MaximumRetryCount } = policy;
  if (!['', 'no', 'always', 'unless-stopped', 'on-failure'].includes(Name))
    throw refuse(`unknown policy '${Name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`);
  if (MaximumRetryCount < 0) throw refuse('maximum retry count cannot be negative');
  if (Name !== 'on-failure' && Name !== '' && MaximumRetryCount !== 0)
    throw refuse(`maximum retry count cannot be used with restart policy '${Name}'`);
}
