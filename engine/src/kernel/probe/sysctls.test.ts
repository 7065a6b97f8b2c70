import { expect, test } from 'vitest';
import { probeSysctls } from './sysctls.ts';

const judge = (values: Record<string, string>): Record<string, boolean> =>
  Object.fromEntries(probeSysctls((key) => values[key] ?? null).map(({ key, met }) => [key, met]));

test('a setting the kernel does not have needs no setting', () => {
  expect(Object.values(judge({})).every(Boolean)).toBe(true);
});

test('each setting is judged by its own rule', () => {
  // The kernel's defaults are right: the lab's terminals come out of the reserve, and a large pool is one learner's to take.
  const defaults = judge({ 'kernel.pty.max': '4096', 'kernel.pty.reserve': '1024' });
  expect([defaults['kernel.pty.max'], defaults['kernel.pty.reserve']]).toEqual([true, true]);
  expect(judge({ 'kernel.pty.max': '65536' })['kernel.pty.max']).toBe(false);
  expect(judge({ 'kernel.pty.reserve': '0' })['kernel.pty.reserve']).toBe(false);
  expect(judge({ 'net.netfilter.nf_conntrack_max': '262144' })['net.netfilter.nf_conntrack_max']).toBe(false);
  expect(judge({ 'net.netfilter.nf_conntrack_max': '65536' })['net.netfilter.nf_conntrack_max']).toBe(true);
  expect(judge({ 'kernel.core_pattern': '|/usr/share/apport/apport' })['kernel.core_pattern']).toBe(false);
  expect(judge({ 'kernel.core_pattern': 'core' })['kernel.core_pattern']).toBe(true);
  expect(judge({ 'dev.tty.legacy_tiocsti': '1' })['dev.tty.legacy_tiocsti']).toBe(false);
  // 1 is stricter than 2: it can't be undone before a reboot.
  expect(judge({ 'kernel.unprivileged_bpf_disabled': '1' })['kernel.unprivileged_bpf_disabled']).toBe(true);
  expect(judge({ 'kernel.kptr_restrict': '1' })['kernel.kptr_restrict']).toBe(false);
});
