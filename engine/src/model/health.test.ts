import { expect, test } from 'vitest';
import type { HealthConfig } from './container-config.ts';
import { afterProbe, checkDelayMs, type Health, healthCommand, probeTimeoutMs, UNCHECKED } from './health.ts';

const SECOND_NS = 1_000_000_000;
const config = (change: Partial<HealthConfig> = {}): HealthConfig => ({
  Test: ['CMD', 'check'],
  Interval: 0,
  Timeout: 0,
  Retries: 0,
  StartPeriod: 0,
  StartInterval: 0,
  ...change,
});
const probe = (ExitCode: number, Output = '') => ({ Start: 'a', End: 'b', ExitCode, Output });

test('the command comes from its kind', () => {
  expect(healthCommand(config())).toEqual(['check']);
  expect(healthCommand(config({ Test: ['CMD-SHELL', 'a && b'] }))).toEqual(['/bin/sh', '-c', 'a && b']);
  expect(healthCommand(config({ Test: ['CMD-SHELL', 'x'] }), ['/bin/bash', '-ec'])).toEqual(['/bin/bash', '-ec', 'x']);
  expect(healthCommand(config({ Test: ['NONE'] }))).toBeNull();
  expect(healthCommand(config({ Test: [] }))).toBeNull();
});

test('three failures in a row are unhealthy, one success is healthy', () => {
  let health: Health = UNCHECKED;
  const seen: string[] = [];
  for (const code of [0, 1, 1, 0, 1, 1, 1, 0]) {
    health = afterProbe(config(), health, probe(code), 60_000);
    seen.push(`${health.Status} ${health.FailingStreak}`);
  }
  expect(seen).toEqual([
    'healthy 0',
    'healthy 1',
    'healthy 2',
    'healthy 0',
    'healthy 1',
    'healthy 2',
    'unhealthy 3',
    'healthy 0',
  ]);
  expect(health.Log.map(({ ExitCode }) => ExitCode)).toEqual([0, 1, 1, 1, 0]);
});

test('a failure in the start period is noted, not counted; a success ends the period', () => {
  const starting = config({ Retries: 1, StartPeriod: 10 * SECOND_NS });
  const failed = afterProbe(starting, UNCHECKED, probe(1), 9_000);
  expect(failed).toMatchObject({ Status: 'starting', FailingStreak: 0 });
  expect(failed.Log).toHaveLength(1);
  const well = afterProbe(starting, failed, probe(0), 9_500);
  expect(afterProbe(starting, well, probe(1), 9_800).Status).toBe('unhealthy');
  expect(afterProbe(starting, failed, probe(1), 10_000).Status).toBe('unhealthy');
});

test('times have Docker’s defaults', () => {
  expect(checkDelayMs(config(), 'starting', 0)).toBe(30_000);
  const starting = config({ Interval: 2 * SECOND_NS, StartPeriod: 10 * SECOND_NS });
  expect(checkDelayMs(starting, 'starting', 0)).toBe(5_000);
  expect(checkDelayMs(starting, 'healthy', 0)).toBe(2_000);
  expect(checkDelayMs(starting, 'starting', 10_000)).toBe(2_000);
  expect(checkDelayMs({ ...starting, StartInterval: SECOND_NS }, 'starting', 0)).toBe(1_000);
  expect(probeTimeoutMs(config())).toBe(30_000);
});
