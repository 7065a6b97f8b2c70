import { describe, expect, it } from 'vitest';
import { Budget } from './budget.ts';

describe('Budget', () => {
  it('lets through what it has, fills with time, and never beyond its most', () => {
    const budget = new Budget(10, 2);
    expect([budget.take(0, 1), budget.take(0, 1), budget.take(0, 1)]).toEqual([true, true, false]);
    expect([budget.take(99, 1), budget.take(101, 1)]).toEqual([false, true]);
    expect([budget.take(60_000, 3), budget.take(60_000, 2)]).toEqual([false, true]);
  });
  it('takes from the one around it, too, or from neither', () => {
    const machine = new Budget(1, 3);
    const [one, other] = [new Budget(1, 2, machine), new Budget(1, 2, machine)];
    expect([one.take(0, 2), other.take(0, 2), other.take(0, 1)]).toEqual([true, false, true]);
  });
  it('is not filled by a clock that goes back', () => {
    const budget = new Budget(1000, 1);
    expect([budget.take(5000, 1), budget.take(0, 1)]).toEqual([true, false]);
  });
});
