import { expect, test } from 'vitest';
import { cgroupInside, groupPath, parseProcCgroup, pathInside } from './cgroup-path.ts';

const inside = (path: string) => pathInside(path, 'a1', 'anna');

test('paths of groups', () => {
  expect(groupPath('a1', 'anna', '')).toBe('drydock-a1/anna');
  expect(groupPath('a1', 'anna', 'inner/shell')).toBe('drydock-a1/anna/inner/shell');
});

test('a host path is read from inner, the root of the learner’s cgroup namespace', () => {
  expect(inside('/drydock-a1/anna/inner')).toBe('/');
  expect(inside('/drydock-a1/anna/inner/shell')).toBe('/shell');
  expect(inside('/docker/0af3/drydock-a1/anna/inner/mine/deep')).toBe('/mine/deep');
  expect(inside('/drydock-a1/anna/inner/drydock-a1/anna/inner/x')).toBe('/drydock-a1/anna/inner/x');
});

test('keepers, other sandboxes and the host are not inside', () => {
  for (const path of [
    '/',
    '/drydock-a1/anna',
    '/drydock-a1/anna/keepers',
    '/drydock-a1/anna/innermost',
    '/drydock-a1/annabel/inner',
    '/drydock-a12/anna/inner',
  ])
    expect([path, inside(path)]).toEqual([path, null]);
});

test('v2: the one line; a removed group loses its mark', () => {
  expect(cgroupInside('0::/drydock-a1/anna/inner/shell\n', 'a1', 'anna')).toBe('/shell');
  expect(cgroupInside('0::/drydock-a1/anna/inner/gone (deleted)\n', 'a1', 'anna')).toBe('/gone');
  expect(cgroupInside('0::/init.scope\n', 'a1', 'anna')).toBeNull();
});

test('hybrid: the hierarchy where the learner moved the process', () => {
  const text = `9:name=systemd:/drydock-a1/anna/inner/shell
4:memory:/drydock-a1/anna/inner/small
1:cpu,cpuacct:/drydock-a1/anna/inner/shell
0::/drydock-a1/anna/inner/shell
`;
  expect(cgroupInside(text, 'a1', 'anna')).toBe('/small');
  expect(cgroupInside(text.replace('/small', '/shell'), 'a1', 'anna')).toBe('/shell');
});

test('v1: no v2 line, a process in the cpu hierarchy’s own place', () => {
  const text = '4:memory:/drydock-a1/anna/inner/shell\n1:cpu,cpuacct:/drydock-a1/anna/inner/slow\n';
  expect(cgroupInside(text, 'a1', 'anna')).toBe('/slow');
});

test('lines that are no cgroup lines are left out', () => {
  expect(parseProcCgroup('nonsense\n7:pids:/a:b\n\n')).toEqual([{ hierarchy: 7, controllers: ['pids'], path: '/a:b' }]);
});
