import { describe, expect, it } from 'vitest';
import { dueEnd, extendedLease, freshLease, LEASE_POLICY as policy } from './lease-policy.ts';

const lease = freshLease('ann', 'ann', 0, policy);
const minutes = (count: number): number => count * 60_000;

describe('a lease', () => {
  it('freezes what nobody looks at, later stops it, and never while somebody looks', () => {
    expect(dueEnd(lease, false, minutes(30) - 1, policy)).toBeNull();
    expect(dueEnd(lease, false, minutes(30), policy)).toBe('freeze');
    expect(dueEnd(lease, true, minutes(300), policy)).toBeNull();
    const frozen = { ...lease, frozenAtMs: minutes(30) };
    expect(dueEnd(frozen, false, minutes(60) - 1, policy)).toBeNull();
    expect(dueEnd(frozen, false, minutes(60), policy)).toBe('stop-idle');
    expect(dueEnd({ ...frozen, stoppedAtMs: minutes(60) }, false, minutes(9999), policy)).toBeNull();
  });

  it('ends at its wall clock, looked at or not', () => {
    expect(dueEnd(lease, true, policy.wallClockMs - 1, policy)).toBeNull();
    expect(dueEnd(lease, true, policy.wallClockMs, policy)).toBe('stop-clock');
  });

  it('is extended from now, up to the most that is allowed', () => {
    const near = policy.wallClockMs - minutes(4);
    const longer = extendedLease(lease, near, policy)!;
    expect(longer.endsAtMs).toBe(near + policy.extensionMs);
    expect(extendedLease(lease, minutes(1), policy)).toBeNull();
    const last = { ...lease, endsAtMs: policy.mostMs };
    expect(extendedLease(last, policy.mostMs - minutes(1), policy)).toBeNull();
  });
});
