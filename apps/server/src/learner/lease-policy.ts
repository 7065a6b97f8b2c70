// When a sandbox is frozen, stopped, extended (security.md 13). Pure: times in, decisions out.
import type { Lease } from '../repositories/leases.ts';

export interface LeasePolicy {
  /** Nobody looked for so long: freeze. */
  freezeAfterMs: number;
  /** Frozen for so long: stop. */
  stopAfterMs: number;
  /** The hard wall clock of a start, how much an extension adds, and what no extension passes. */
  wallClockMs: number;
  extensionMs: number;
  mostMs: number;
  /** An end is announced this long before. */
  announceMs: number;
}

const MINUTE_MS = 60_000;
export const LEASE_POLICY: LeasePolicy = {
  freezeAfterMs: 30 * MINUTE_MS,
  stopAfterMs: 30 * MINUTE_MS,
  wallClockMs: 8 * 60 * MINUTE_MS,
  extensionMs: 2 * 60 * MINUTE_MS,
  mostMs: 24 * 60 * MINUTE_MS,
  announceMs: 5 * MINUTE_MS,
};

export type LeaseEnd = 'freeze' | 'stop-idle' | 'stop-clock' | null;

/** What is due now. `watched`: a tab is open. */
export function dueEnd(lease: Lease, watched: boolean, nowMs: number, policy: LeasePolicy): LeaseEnd {
  if (lease.stoppedAtMs !== null) return null;
  if (nowMs >= lease.endsAtMs) return 'stop-clock';
  if (watched) return null;
  if (lease.frozenAtMs !== null) return nowMs - lease.frozenAtMs >= policy.stopAfterMs ? 'stop-idle' : null;
  return nowMs - lease.lastSeenAtMs >= policy.freezeAfterMs ? 'freeze' : null;
}

/** A lease for a sandbox that starts now. */
export function freshLease(learner: string, sandbox: string, nowMs: number, policy: LeasePolicy): Lease {
  return {
    learner,
    sandbox,
    lastSeenAtMs: nowMs,
    startedAtMs: nowMs,
    endsAtMs: nowMs + policy.wallClockMs,
    frozenAtMs: null,
    stoppedAtMs: null,
  };
}

/** Longer by one extension from now, within what is allowed at most; null when that gains nothing. */
export function extendedLease(lease: Lease, nowMs: number, policy: LeasePolicy): Lease | null {
  const endsAtMs = Math.min(Math.max(lease.endsAtMs, nowMs + policy.extensionMs), lease.startedAtMs + policy.mostMs);
  return endsAtMs > lease.endsAtMs ? { ...lease, endsAtMs } : null;
}
