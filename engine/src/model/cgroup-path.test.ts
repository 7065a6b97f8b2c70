import { expect, test } from 'vitest';
import { cgroupInside, groupPath, pathInside } from './cgroup-path.ts';

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
    '/drydock-a1/bob/inner/drydock-a1/anna/inner',
  ])
    expect([path, inside(path)]).toEqual([path, null]);
});

const line = (controllers: string, path: string) => ({ controllers: controllers.split(','), path });

test('v2: the one line there is', () => {
  expect(cgroupInside([line('', '/drydock-a1/anna/inner/shell')], 'a1', 'anna')).toBe('/shell');
  expect(cgroupInside([line('', '/init.scope')], 'a1', 'anna')).toBeNull();
  expect(cgroupInside([], 'a1', 'anna')).toBeNull();
});

test('hybrid: the hierarchy where the learner moved the process', () => {
  const hybrid = (memory: string) => [
    line('name=systemd', '/drydock-a1/anna/inner/shell'),
    line('memory', memory),
    line('cpu,cpuacct', '/drydock-a1/anna/inner/shell'),
    line('', '/drydock-a1/anna/inner/shell'),
  ];
  expect(cgroupInside(hybrid('/drydock-a1/anna/inner/small'), 'a1', 'anna')).toBe('/small');
  expect(cgroupInside(hybrid('/drydock-a1/anna/inner/shell'), 'a1', 'anna')).toBe('/shell');
});

test('v1: no v2 line, a process moved in the cpu hierarchy only', () => {
  const lines = [
    line('memory', '/drydock-a1/anna/inner/shell'),
    line('cpu,cpuacct', '/drydock-a1/anna/inner/slow'),
    line('hugetlb', '/elsewhere'),
  ];
  expect(cgroupInside(lines, 'a1', 'anna')).toBe('/slow');
});
