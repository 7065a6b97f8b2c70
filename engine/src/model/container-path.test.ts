import { expect, test } from 'vitest';
import { KEEPERS, containerParent, containerPath } from './container-path.ts';

test('a container is in its daemon’s group, or where --cgroup-parent says', () => {
  const id = 'a'.repeat(64);
  expect(containerPath('ab12cd', id, null)).toBe(`drydock-ab12cd-containers/${id}`);
  expect(containerPath('ab12cd', id, '')).toBe(`drydock-ab12cd-containers/${id}`);
  expect(containerPath('ab12cd', id, '/')).toBe(`drydock-ab12cd-containers/${id}`);
  for (const parent of ['/low/er', 'low/er', '//low/./er/']) expect(containerParent('ab12cd', parent)).toBe('low/er');
});

test.each(['..', '/low/../..', 'a\nb', 'a\0b'])('%j is no parent', (parent) => {
  expect(() => containerParent('ab12cd', parent)).toThrow('give a path below the control group mount, without ".."');
});

test.each(['', '..', 'a/b', 'A', '-a', KEEPERS, 'a'.repeat(129)])('"%s" is no id', (id) => {
  expect(() => containerPath('ab12cd', id, null)).toThrow('use a-z, 0-9 and -');
});
