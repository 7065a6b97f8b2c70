// What containers are called and said to be, against what Docker says.
import { expect, test } from 'vitest';
import { checkedName, madeUpName } from './container-name.ts';
import { goTime, stateName, statusText, type StatusFacts } from './container-status.ts';
import { humanDuration } from './human-duration.ts';
import { parseSignal } from './signal.ts';
import { UNCHECKED } from './health.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

// Expected texts are those of docker/go-units' own tests.
test.each([
  [450, 'Less than a second'],
  [SECOND, '1 second'],
  [47 * SECOND, '47 seconds'],
  [60 * SECOND, 'About a minute'],
  [35 * 60 * SECOND + 40 * SECOND, '35 minutes'],
  [HOUR, 'About an hour'],
  [HOUR + 45 * 60 * SECOND, '2 hours'],
  [3 * HOUR, '3 hours'],
  [3 * HOUR + 59 * 60 * SECOND, '4 hours'],
  [24 * HOUR, '24 hours'],
  [36 * HOUR, '36 hours'],
  [2 * DAY, '2 days'],
  [13 * DAY, '13 days'],
  [14 * DAY, '2 weeks'],
  [35 * DAY, '5 weeks'],
  [61 * DAY, '2 months'],
  [700 * DAY, '23 months'],
  [731 * DAY, '2 years'],
])('%d ms are "%s"', (ms, text) => {
  expect(humanDuration(ms)).toBe(text);
});

const NOW = 1_800_000_000_000;
const facts = (change: Partial<StatusFacts>): StatusFacts => ({
  status: 'running',
  exitCode: 0,
  startedAtMs: NOW - 3 * SECOND,
  finishedAtMs: null,
  ...change,
});

test('a status is told as docker ps does', () => {
  const status = (change: Partial<StatusFacts>) => statusText(facts(change), null, false, NOW);
  expect(status({})).toBe('Up 3 seconds');
  expect(status({ status: 'paused' })).toBe('Up 3 seconds (Paused)');
  expect(status({ status: 'exited', exitCode: 137, finishedAtMs: NOW - 2 * 60 * SECOND })).toBe(
    'Exited (137) 2 minutes ago',
  );
  expect(status({ status: 'restarting', exitCode: 1, finishedAtMs: NOW - SECOND })).toBe('Restarting (1) 1 second ago');
  expect(status({ status: 'created', startedAtMs: null })).toBe('Created');
  expect(status({ status: 'exited', startedAtMs: null })).toBe('Created');
  expect(statusText(facts({}), UNCHECKED, false, NOW)).toBe('Up 3 seconds (health: starting)');
  expect(statusText(facts({}), { ...UNCHECKED, Status: 'unhealthy' }, false, NOW)).toBe('Up 3 seconds (unhealthy)');
  expect(statusText(facts({ status: 'exited' }), null, true, NOW)).toBe('Removal In Progress');
  expect(stateName(facts({ status: 'dead' }), false)).toBe('dead');
});

test('times are written as Go writes them', () => {
  expect(goTime(null)).toBe('0001-01-01T00:00:00Z');
  expect(goTime(NOW)).toBe('2027-01-15T08:00:00Z');
  expect(goTime(NOW + 120)).toBe('2027-01-15T08:00:00.12Z');
});

test('names are checked as Docker checks them, and made up so that they pass', () => {
  expect(checkedName('/web.1-a_b')).toBe('web.1-a_b');
  for (const name of ['a', '-web', 'we b', 'a/b', '', 'ü1'])
    expect(() => checkedName(name)).toThrow(
      `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  for (const random of [0, 0.5, 0.999_999]) {
    expect(checkedName(madeUpName(() => random))).toMatch(/^[a-z]+_[a-z]+$/);
    expect(checkedName(madeUpName(() => random, 1))).toMatch(/^[a-z]+_[a-z]+\d$/);
  }
});

test('signals are known by name, with and without SIG, and by number', () => {
  expect(['SIGKILL', 'kill', '9', 'TERM', 'SIGHUP', 'SIGRTMIN+3', 'rtmax', 'SIGSYS'].map(parseSignal)).toEqual([
    9, 9, 9, 15, 1, 37, 64, 31,
  ]);
  for (const text of ['SIGFOO', '0', '65', '-1', '', 'RTMIN+40'])
    expect(() => parseSignal(text)).toThrow(`invalid signal: ${text}`);
});
