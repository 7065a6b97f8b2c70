import { expect, test } from 'vitest';
import type { CgroupHost } from '../model/cgroup-host.ts';
import type { CallStep, LaunchPlan, Step } from '../model/launch-plan.ts';
import { compilePlan } from '../model/plan-image.ts';
import { printArguments } from '../model/plan-report.ts';
import { testSpec } from '../testing/native-world.ts';
import { containerPlan, type NativeContainer } from './native-plan.ts';

const V2: CgroupHost = { flavour: 'v2', hierarchies: [], unified: '/sys/fs/cgroup' };

function planned(change: Partial<NativeContainer> = {}): LaunchPlan {
  const plan = containerPlan({
    id: 'c0ffee',
    spec: testSpec('/run/ground', ['true']),
    rootfs: { kind: 'overlay', lower: ['/lower'], options: [] },
    group: { join: [], keeperJoin: [], directory: '/sys/fs/cgroup/drydock/c0ffee' },
    openStdin: false,
    init: false,
    seccomp: Uint8Array.from([6, 0, 0, 0, 0, 0, 0xff, 0x7f]),
    files: new Set(),
    masked: [{ path: '/proc/keys', kind: 'file' }],
    host: { cgroups: V2, mayMakeNodes: true },
    ...change,
  });
  for (const architecture of ['x86_64', 'aarch64'] as const) compilePlan(plan, { architecture });
  return plan;
}

const calls = (steps: readonly Step[] = []): CallStep[] => steps.filter((step) => step.kind === 'call');
const names = (steps: readonly Step[] = []): string[] => calls(steps).map(({ call }) => call);
const printed = (steps: readonly Step[] = []): string[] =>
  steps.map((step) => `${step.kind === 'call' ? step.call : step.kind}(${printArguments(step).join(', ')})`);

test('the order that keeps a container in: open what is the host’s, change the root, build, drop rights, close, execute', () => {
  const order = names(planned().blocks['container']);
  const at = (call: string, from = 0) => order.indexOf(call, from);
  expect(at('open_tree')).toBeLessThan(at('pivot_root'));
  expect(at('pivot_root')).toBeLessThan(at('mknodat'));
  expect(at('mount_setattr')).toBeGreaterThan(at('pivot_root'));
  expect(at('seccomp')).toBeLessThan(at('capset'));
  expect(at('setresuid')).toBeLessThan(at('capset'));
  const last = order.slice(at('close_range'));
  expect(last[1]).toBe('chdir');
  expect(last.at(-1)).toBe('execve');
});

test('with no_new_privs the filter comes last, so that it need not allow what comes before', () => {
  const spec = testSpec('/run/ground', ['true'], { process: { noNewPrivileges: true } });
  const order = names(planned({ spec }).blocks['container']);
  expect(order.indexOf('seccomp')).toBeGreaterThan(order.indexOf('capset'));
  expect(order.filter((call) => call === 'seccomp')).toHaveLength(1);
});

test('on v2 the child is born in its group, and makes its cgroup namespace there', () => {
  const { blocks } = planned();
  const clone = blocks['keeper']?.find((step) => step.kind === 'clone');
  expect(clone).toMatchObject({ cgroup: { slot: 'group' } });
  expect((clone?.flags ?? 0n) & 0x0200_0000n).toBe(0n);
  expect(printed(blocks['container'])).toContain('unshare(33554432)'); // CLONE_NEWCGROUP
  expect(printed(blocks['container']).join('\n')).toContain('"/sys/fs/cgroup", "cgroup2"');
});

test('namespaces that are absent are the host’s, those with a path are joined, pid by the keeper', () => {
  const namespaces = [
    { type: 'mount' },
    { type: 'pid', path: '/proc/7/ns/pid' },
    { type: 'ipc', path: '/proc/7/ns/ipc' },
  ] as const;
  const { blocks } = planned({ spec: testSpec('/run/ground', ['true'], { linux: { namespaces } }) });
  expect(blocks['keeper']?.find((step) => step.kind === 'clone')?.flags).toBe(0x2_0000n);
  expect(names(blocks['keeper'])).toContain('setns');
  const joined = calls(blocks['container']).filter(({ call }) => call === 'setns');
  expect(joined.map(({ purpose }) => purpose)).toEqual(['joining the ipc namespace "/proc/7/ns/ipc"']);
  expect(names(blocks['container'])).not.toContain('socket');
});

test('where no node can be made, the host’s are bound', () => {
  const steps = planned({ host: { cgroups: V2, mayMakeNodes: false } }).blocks['container'];
  const order = printed(steps);
  expect(order.findIndex((one) => one.startsWith('open_tree') && one.includes('"/dev/zero"'))).toBeLessThan(
    order.findIndex((one) => one.startsWith('pivot_root')),
  );
  // S_IFREG: only empty files to bind on.
  expect(
    calls(steps)
      .filter(({ call }) => call === 'mknodat')
      .map(({ args }) => Number(args[2]) & 0o170000),
  ).toEqual(Array.from({ length: 6 }, () => 0o100000));
});
