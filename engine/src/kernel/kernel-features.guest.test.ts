// What a stock distribution kernel has and the project's test machine lacks: lessons on these run there.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { CAPABILITIES, probe } from './probe.ts';

test('the guest is a machine of its own: cgroup v2 alone, with its resource controllers', () => {
  expect(readFileSync('/proc/self/cgroup', 'utf8')).toBe('0::/\n');
  const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
  for (const name of ['cpu', 'memory', 'pids', 'io', 'cpuset']) expect(controllers).toContain(name);
});

test.each(['ipvlan', 'dummy', 'netem', 'wireguard', 'cgroup-v2-controllers'] as const)(
  'the probe finds %s',
  (capability) => {
    expect(CAPABILITIES).toContain(capability);
    expect(probe(capability)).toMatchObject({ present: true });
  },
);

test('a dummy link and an ipvlan on it carry addresses', () => {
  const script =
    'ip link add d0 type dummy && ip link add iv0 link d0 type ipvlan mode l3 && ip addr add 10.9.0.1/24 dev iv0 && ip -br addr';
  expect(execFileSync('unshare', ['--net', 'sh', '-c', script], { encoding: 'utf8' })).toMatch(
    /iv0@d0 .*10\.9\.0\.1\/24/,
  );
});
