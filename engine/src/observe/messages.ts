// What the main loop and the observing thread say to each other. Plain data.
import type { Watch } from '../model/observed.ts';
import type { Change } from './change.ts';
import type { Start } from './tracker.ts';

export interface ObserveData {
  instance: string;
  /** An eventfd: written after each command, for the thread sleeps in epoll_wait. */
  wakeFd: number;
}

/** `run` tells one observation of a sandbox from an earlier one, whose last reports may still be under way. */
export type Command =
  | { kind: 'start'; sandbox: string; run: number; initPid: number; watch: Watch }
  | { kind: 'watch'; sandbox: string; watch: Watch }
  | { kind: 'stop'; sandbox: string }
  | { kind: 'close' };

export type Report = { sandbox: string; run: number } & (
  | { kind: 'started'; start: Start; atMs: number }
  | { kind: 'change'; change: Change }
  /** The sandbox's first process has ended; `message` when it could not be observed at all. */
  | { kind: 'ended'; message: string | null }
);
