// A container's state in Docker's words. Pure.
import type { Health } from './health.ts';
import { humanDuration } from './human-duration.ts';

/** Of a container's state, what its status is made of. */
export interface StatusFacts {
  readonly status: 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'dead';
  readonly exitCode: number;
  readonly startedAtMs: number | null;
  readonly finishedAtMs: number | null;
}

export const STATES = ['created', 'restarting', 'running', 'removing', 'paused', 'exited', 'dead'] as const;
export type StateName = (typeof STATES)[number];

/** "running", "exited" …; one whose first start failed is still "created". */
export function stateName({ status, startedAtMs }: StatusFacts, isRemoving: boolean): StateName {
  if (isRemoving) return 'removing';
  return status === 'exited' && startedAtMs === null ? 'created' : status;
}

/** "Up 3 seconds (healthy)", "Exited (0) 2 minutes ago". */
export function statusText(facts: StatusFacts, health: Health | null, isRemoving: boolean, nowMs: number): string {
  const since = (ms: number | null) => humanDuration(nowMs - (ms ?? nowMs));
  switch (stateName(facts, isRemoving)) {
    case 'paused':
      return `Up ${since(facts.startedAtMs)} (Paused)`;
    case 'restarting':
      return `Restarting (${facts.exitCode}) ${since(facts.finishedAtMs)} ago`;
    case 'running':
      return `Up ${since(facts.startedAtMs)}${health ? ` (${healthText(health)})` : ''}`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    default:
      return `Exited (${facts.exitCode}) ${since(facts.finishedAtMs)} ago`;
  }
}

const healthText = ({ Status }: Health): string => (Status === 'starting' ? 'health: starting' : Status);

/** RFC 3339 as Go writes it; null is Go's zero time. */
export const goTime = (ms: number | null): string =>
  ms === null ? '0001-01-01T00:00:00Z' : new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z');
