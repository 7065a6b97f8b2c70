import { expect, test } from 'vitest';
import { hierarchyOf, missingControllers, parseCgroupMounts } from './cgroup-host.ts';

const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,release_agent=/lib/agent,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;
const V2 = '30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n';

test('a hybrid host has v1 hierarchies and a v2 tree', () => {
  const host = parseCgroupMounts(HYBRID);
  expect(host.flavour).toBe('hybrid');
  expect(host.unified).toBe('/sys/fs/cgroup/unified');
  expect(hierarchyOf(host, 'cpuacct')?.mountPoint).toBe('/sys/fs/cgroup/cpu,cpuacct');
  expect(hierarchyOf(host, 'name=systemd')?.controllers).toEqual(['name=systemd']);
  expect(missingControllers(host, 'hugetlb')).toEqual([]);
});

test('a v2 host has one tree; what its cgroup.controllers lacks is named', () => {
  const host = parseCgroupMounts(V2);
  expect(host).toEqual({ flavour: 'v2', hierarchies: [], unified: '/sys/fs/cgroup' });
  expect(missingControllers(host, 'cpuset cpu io pids\n')).toEqual(['memory']);
});

test('systemd’s own hierarchy beside a v2 tree does not make a host hybrid', () => {
  const lines = HYBRID.split('\n').filter((line) => /systemd|unified/.test(line));
  expect(parseCgroupMounts(lines.join('\n')).flavour).toBe('v2');
});

test('a pure v1 host needs the freezer', () => {
  const host = parseCgroupMounts(HYBRID.replace(/.*cgroup2.*\n/, ''));
  expect(host).toMatchObject({ flavour: 'v1', unified: null });
  expect(missingControllers(host, '')).toEqual(['freezer']);
});

test('a second mount of a hierarchy, a read-only mount and an escaped path', () => {
  const host = parseCgroupMounts(
    [
      '50 1 0:9 / /ro ro,relatime - cgroup2 cgroup2 rw',
      '51 1 0:9 / /with\\040space rw - cgroup2 cgroup2 rw',
      '52 1 0:9 / /again rw - cgroup2 cgroup2 rw',
      'nonsense',
      '',
    ].join('\n'),
  );
  expect(host.unified).toBe('/with space');
});
