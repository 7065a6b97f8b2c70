// Waits for what becomes of a container.
import { EngineError } from '../model/engine-error.ts';
import type { LiveContainer } from './live-container.ts';

export const WAIT_CONDITIONS = ['not-running', 'next-exit', 'removed'] as const;
export type WaitCondition = (typeof WAIT_CONDITIONS)[number];

export interface WaitOutcome {
  readonly exitCode: number;
  /** Why its removal failed; null when it did not. */
  readonly error: string | null;
}

/** "" is not-running, as for clients older than conditions. Throws invalid_argument in Docker's words. */
export function parseCondition(text: string | undefined): WaitCondition {
  if (text === undefined || text === '') return 'not-running';
  const condition = WAIT_CONDITIONS.find((one) => one === text);
  if (condition) return condition;
  throw new EngineError('invalid_argument', `invalid condition: "${text}"`);
}

/** Registered when this returns. An abort ends the wait, and rejects with the signal's reason. */
export function waitFor(container: LiveContainer, condition: WaitCondition, signal: AbortSignal): Promise<WaitOutcome> {
  return new Promise((resolve, reject) => {
    const outcome = (): WaitOutcome => ({ exitCode: container.state.exitCode, error: container.removalError });
    const isMet = {
      'not-running': () => !container.isUp,
      'next-exit': () => false,
      removed: () => container.isRemoved,
    }[condition];
    if (isMet()) {
      resolve(outcome());
      return;
    }
    const leave = container.watch((news) => {
      const isOver =
        news === 'removed' ||
        (news === 'removal-failed' && condition === 'removed') ||
        // Also when its restart policy starts it again: each end is one, for who waited for it.
        (news === 'ended' && condition !== 'removed');
      if (!isOver) return;
      done();
      resolve(outcome());
    });
    const aborted = () => {
      done();
      reject(signal.reason as Error);
    };
    const done = () => {
      leave();
      signal.removeEventListener('abort', aborted);
    };
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
  });
}
