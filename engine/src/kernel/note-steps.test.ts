import { expect, test } from 'vitest';
import type { PlanReport } from '../model/plan-report.ts';
import { noteSteps } from './note-steps.ts';

test('the steps of a plan are not read while nobody listens', () => {
  let reads = 0;
  const report: PlanReport = {
    get steps() {
      reads += 1;
      return [];
    },
    failed: null,
    beganNs: 0n,
    ran: true,
    slots: new Map(),
    rooms: new Map(),
  };
  noteSteps(report);
  expect(reads).toBe(0);
});
