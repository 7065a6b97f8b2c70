import { expect, test } from 'vitest';
import { checkRestartPolicy, restartDelay, startsWithDaemon, type EndedRun } from './restart-policy.ts';
import type { RestartPolicy } from './container-config.ts';

const ended = (change: Partial<EndedRun> = {}): EndedRun => ({
  exitCode: 1,
  ranMs: 50,
  manuallyStopped: false,
  restartCount: 0,
  lastDelayMs: 0,
  ...change,
});
const policy = (Name: RestartPolicy['Name'], MaximumRetryCount = 0): RestartPolicy => ({ Name, MaximumRetryCount });

test('the wait doubles up to a minute, and begins again after ten seconds of running', () => {
  const waits: (number | null)[] = [];
  let lastDelayMs = 0;
  for (let run = 0; run < 12; run++) {
    const wait = restartDelay(policy('always'), ended({ lastDelayMs, restartCount: run }));
    waits.push(wait);
    lastDelayMs = wait ?? 0;
  }
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 51_200, 60_000, 60_000]);
  expect(restartDelay(policy('always'), ended({ lastDelayMs: 60_000, ranMs: 10_000 }))).toBe(100);
});

test('who is started again, and who is not', () => {
  expect(restartDelay(policy('no'), ended())).toBeNull();
  expect(restartDelay(policy(''), ended())).toBeNull();
  expect(restartDelay(policy('always'), ended({ exitCode: 0 }))).toBe(100);
  expect(restartDelay(policy('always'), ended({ manuallyStopped: true }))).toBeNull();
  expect(restartDelay(policy('unless-stopped'), ended({ exitCode: 0 }))).toBe(100);
  expect(restartDelay(policy('on-failure'), ended({ exitCode: 0 }))).toBeNull();
  expect(restartDelay(policy('on-failure'), ended({ restartCount: 99 }))).toBe(100);
  expect(restartDelay(policy('on-failure', 3), ended({ restartCount: 2 }))).toBe(100);
  expect(restartDelay(policy('on-failure', 3), ended({ restartCount: 3 }))).toBeNull();
});

test('with the daemon, always comes back even when it was stopped by hand; unless-stopped does not', () => {
  const stopped = ended({ manuallyStopped: true, exitCode: 0 });
  expect(startsWithDaemon(policy('always'), stopped)).toBe(true);
  expect(startsWithDaemon(policy('unless-stopped'), stopped)).toBe(false);
  expect(startsWithDaemon(policy('unless-stopped'), ended({ exitCode: 0 }))).toBe(true);
  expect(startsWithDaemon(policy('no'), ended())).toBe(false);
});

test('policies are refused in Docker’s words', () => {
  expect(() => checkRestartPolicy({ Name: 'never', MaximumRetryCount: 0 })).toThrow(
    "invalid restart policy: unknown policy 'never'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
  );
  expect(() => checkRestartPolicy({ Name: 'always', MaximumRetryCount: 2 })).toThrow(
    "invalid restart policy: maximum retry count cannot be used with restart policy 'always'",
  );
  expect(() => checkRestartPolicy({ Name: 'on-failure', MaximumRetryCount: -1 })).toThrow(
    'invalid restart policy: maximum retry count cannot be negative',
  );
  expect(() => checkRestartPolicy({ Name: 'on-failure', MaximumRetryCount: 2 })).not.toThrow();
});
