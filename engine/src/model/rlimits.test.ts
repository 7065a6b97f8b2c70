import { expect, test } from 'vitest';
import { RLIM_INFINITY, SANDBOX_RLIMITS, parseHardLimits, rlimitBytes, withinHard } from './rlimits.ts';

const LIMITS = `Limit                     Soft Limit           Hard Limit           Units
Max core file size        0                    unlimited            bytes
Max processes             93949                93949                processes
Max open files            20000                20000                files
Max locked memory         8388608              8388608              bytes
`;

test('hard limits are read from /proc/PID/limits', () => {
  const hard = parseHardLimits(LIMITS);
  expect(hard('nofile')).toBe(20000n);
  expect(hard('memlock')).toBe(8388608n);
  expect(hard('core')).toBe(RLIM_INFINITY);
  expect(hard('rttime')).toBe(RLIM_INFINITY);
});

test('a limit above the host’s is lowered, soft and hard; one below stays', () => {
  const limits = withinHard(SANDBOX_RLIMITS, parseHardLimits(LIMITS));
  expect(limits).toContainEqual({ name: 'memlock', soft: 8388608n, hard: 8388608n });
  expect(limits).toContainEqual({ name: 'nofile', soft: 1024n, hard: 4096n });
});

test('struct rlimit64 is soft, then hard', () => {
  const view = new DataView(rlimitBytes({ name: 'nofile', soft: 1024n, hard: RLIM_INFINITY }).buffer);
  expect([view.getBigUint64(0, true), view.getBigUint64(8, true)]).toEqual([1024n, RLIM_INFINITY]);
});
