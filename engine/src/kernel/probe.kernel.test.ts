import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { execFileSync } from 'node:child_process';
import { describe, expect, test, vi } from 'vitest';
import { KNOWN_MISSING, requires } from '../testing/requires.ts';
import { CAPABILITIES, demand, probe, probeAll, probeSysctls } from './probe.ts';

/** Everything of a probe's that could be left; what other tests make on the same machine does not count. */
const traces = (): string[] =>
  [
    execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' }),
    execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' }),
    execFileSync('losetup', ['--list'], { encoding: 'utf8' }),
    execFileSync('find', ['/sys/fs/cgroup', '-maxdepth', '2', '-name', 'drydock-probe-*'], { encoding: 'utf8' }),
    readdirSync(tmpdir()).join('\n'),
    readFileSync('/proc/self/mountinfo', 'utf8'),
    readlinkSync('/proc/thread-self/ns/net'),
  ]
    .join('\n')
    .split('\n')
    .filter((line) => /probe|lower0|^net:/.test(line));

describe('probing', () => {
  requires('root');

  test('finds all that the lab needs, each absence is on the list, and nothing of it stays', () => {
    const before = traces();
    const probes = probeAll();
    expect(traces()).toEqual(before);
    expect(probes.map(({ id }) => id)).toEqual(CAPABILITIES);
    const absent = probes.filter(({ present }) => !present);
    expect(absent.filter(({ needed }) => needed)).toEqual([]);
    expect(absent.map(({ id }) => id).filter((id) => !KNOWN_MISSING.includes(id))).toEqual([]);
    for (const { why, howToGet } of absent) {
      expect(why).not.toBe('');
      expect(howToGet).not.toBe('');
    }
  });

  test('says what the kernel said where something is absent', () => {
    const absent = KNOWN_MISSING.map((id) => probe(id)).find(({ id, present }) => id === 'netem' && !present);
    if (absent === undefined) return expect(probe('netem').present).toBe(true);
    expect(absent.why).toMatch(/netem.*ENOENT/);
    expect(() => demand('veth', 'netem')).toThrow(/^This host has no netem: .*CONFIG_NET_SCH_NETEM/);
  });

  test('agrees with the kernel about settings', () => {
    const inotify = probeSysctls().find(({ key }) => key === 'fs.inotify.max_user_instances');
    expect(inotify?.present).toBe(readFileSync('/proc/sys/fs/inotify/max_user_instances', 'utf8').trim());
  });
});

describe('a namespace that the host may not have', () => {
  const present = requires('netem');

  test('runs only where netem is', () => {
    expect(present).toBe(true);
    expect(probe('netem').present).toBe(true);
  });
});

test('requires fails on what is absent and not on the list', async () => {
  vi.resetModules();
  vi.doMock('./probe.ts', () => ({
    CAPABILITIES,
    probe: () => ({ id: 'veth', present: false, why: 'gone', howToGet: 'Get it.' }),
  }));
  const { requires: strict } = await import('../testing/requires.ts');
  expect(() => strict('veth')).toThrow('This test needs veth, which is absent: gone. Get it.');
  vi.doUnmock('./probe.ts');
});
