import { expect, test } from 'vitest';
import { BPF, encodeBpf } from './bpf-assembler.ts';
import { runBpf } from './bpf-interpreter.ts';
import { AUDIT_ARCH, X32_SYSCALL_BIT, actionValue, compileSeccomp } from './seccomp-compile.ts';
import type { SeccompPolicy, SeccompRule } from './seccomp-policy.ts';
import { SYSCALL_TABLE, type SyscallName, X86_64_SYSCALLS } from './syscall-table.ts';

const base = { architecture: 'x86_64', defaultAction: 'allow', foreignAction: { errno: 'ENOSYS' } } as const;
const ENOSYS = actionValue({ errno: 'ENOSYS' });
const EPERM = actionValue({ errno: 'EPERM' });
const ALLOW = actionValue('allow');
const KILL = actionValue('kill');

const why = 'test';
function answers(policy: SeccompPolicy) {
  const program = compileSeccomp(policy);
  return (call: SyscallName | number, ...args: (number | bigint)[]) => {
    const number = typeof call === 'number' ? call : (SYSCALL_TABLE[policy.architecture][call] ?? Number.NaN);
    return runBpf(program, { number, architecture: AUDIT_ARCH[policy.architecture], arguments: args }).value;
  };
}

test('values are those the kernel reads', () => {
  expect([ALLOW, KILL, EPERM, ENOSYS]).toEqual([0x7fff0000, 0x80000000, 0x50001, 0x50026]);
});

test('a policy without rules is the checks alone', () => {
  expect(compileSeccomp({ ...base, rules: [] }).map(({ code }) => code)).toEqual([
    BPF.load,
    BPF.jumpEqual,
    BPF.load,
    BPF.jumpGreaterEqual,
    BPF.return,
    BPF.return,
  ]);
});

test('foreign ABIs are answered before any call is looked up', () => {
  const program = compileSeccomp({ ...base, rules: [] });
  const i386 = { number: X86_64_SYSCALLS.read, architecture: 0x4000_0003, arguments: [] };
  expect(runBpf(program, i386).value).toBe(ENOSYS);
  const x32 = { number: X32_SYSCALL_BIT, architecture: AUDIT_ARCH.x86_64, arguments: [] };
  expect(runBpf(program, x32).value).toBe(ENOSYS);
  expect(runBpf(program, { ...x32, number: 0xffff_ffff }).value).toBe(ENOSYS);
  expect(runBpf(program, { ...x32, number: X32_SYSCALL_BIT - 1 }).value).toBe(ALLOW);
});

test('first and last call, neighbours and their neighbours', () => {
  const answer = answers({
    ...base,
    rules: [
      { calls: ['read', 'write', 'file_setattr'], action: { errno: 'EPERM' }, why },
      { calls: ['open'], action: 'kill', why },
    ],
  });
  expect(
    ['read', 'write', 'open', 'close', 'file_getattr', 'file_setattr'].map((name) => answer(name as SyscallName)),
  ).toEqual([EPERM, EPERM, KILL, ALLOW, ALLOW, EPERM]);
  expect(answer(X86_64_SYSCALLS.file_setattr + 1)).toBe(ALLOW);
});

test('rules of one call are tried in order', () => {
  const ioctl = (action: SeccompRule['action'], ...values: number[]): SeccompRule => ({
    calls: ['ioctl'],
    action,
    ...(values.length > 0 ? { when: [{ argument: 1, in: values }] } : {}),
    why,
  });
  const answer = answers({ ...base, rules: [ioctl('allow', 1, 2), ioctl('kill', 2, 3), ioctl({ errno: 'EPERM' })] });
  expect([0, 1, 2, 3, 4].map((value) => answer('ioctl', 0, value))).toEqual([EPERM, ALLOW, ALLOW, KILL, EPERM]);
});

test('all tests of a rule must hold', () => {
  const when = [
    { argument: 0, in: [16] },
    { argument: 2, in: [0, 4] },
  ] as const;
  const answer = answers({ ...base, rules: [{ calls: ['socket'], action: 'kill', when, why }] });
  expect(answer('socket', 16, 0, 4)).toBe(KILL);
  expect(answer('socket', 16, 0, 6)).toBe(ALLOW);
  expect(answer('socket', 2, 0, 4)).toBe(ALLOW);
});

test('a 32-bit test does not see the upper half of the register, as the kernel does not', () => {
  const answer = answers({
    ...base,
    rules: [{ calls: ['ioctl'], action: 'kill', when: [{ argument: 1, in: [0x5412] }], why }],
  });
  expect(answer('ioctl', 0, 0x1_0000_5412n)).toBe(KILL);
});

test('a 64-bit test compares both halves, and masks both', () => {
  const rule = (mask: bigint | undefined, ...values: bigint[]): SeccompRule => ({
    calls: ['clone'],
    action: 'kill',
    when: [{ argument: 0, in: values, bits: 64, ...(mask === undefined ? {} : { mask }) }],
    why,
  });
  const exact = answers({ ...base, rules: [rule(undefined, 0x1_0000_0002n, 0x1_0000_0003n, 2n)] });
  expect([0x1_0000_0002n, 0x1_0000_0003n, 2n, 3n, 0x2_0000_0002n].map((value) => exact('clone', value))).toEqual([
    KILL,
    KILL,
    KILL,
    ALLOW,
    ALLOW,
  ]);
  const masked = answers({ ...base, rules: [rule(0xf_1000_0000n, 0x1_1000_0000n)] });
  expect([0x1_1234_5678n, 0x1_0234_5678n, 0x3_1000_0000n].map((value) => masked('clone', value))).toEqual([
    KILL,
    ALLOW,
    ALLOW,
  ]);
});

test('distances over 255 instructions: every call with arguments of its own still gets its own answer', () => {
  const names = Object.keys(X86_64_SYSCALLS) as SyscallName[];
  const rules = names.map((name, index): SeccompRule => ({
    calls: [name],
    action: index % 2 === 0 ? { errno: 'EPERM' } : 'kill',
    when: [{ argument: 3, in: [1000 + index, 2000 + index, 3000 + index], mask: 0xffff }],
    why,
  }));
  const policy: SeccompPolicy = { ...base, defaultAction: { errno: 'ENOSYS' }, rules };
  const program = compileSeccomp(policy);
  expect(program.length).toBeGreaterThan(2000);
  expect(program.every(({ jt, jf }) => jt >= 0 && jt <= 255 && jf >= 0 && jf <= 255)).toBe(true);
  const answer = answers(policy);
  names.forEach((name, index) => {
    const expected = index % 2 === 0 ? EPERM : KILL;
    expect([name, answer(name, 0, 0, 0, 3000 + index)]).toEqual([name, expected]);
    expect([name, answer(name, 0, 0, 0, 0x10000 + 1000 + index)]).toEqual([name, expected]);
    expect([name, answer(name, 0, 0, 0, 4000 + index)]).toEqual([name, ENOSYS]);
  });
});

test('one test with 600 values jumps over all of them', () => {
  const values = Array.from({ length: 600 }, (_, index) => index * 7);
  const answer = answers({
    ...base,
    rules: [{ calls: ['ioctl'], action: 'kill', when: [{ argument: 1, in: values }], why }],
  });
  for (const value of values) expect([value, answer('ioctl', 0, value)]).toEqual([value, KILL]);
  expect(answer('ioctl', 0, 1)).toBe(ALLOW);
});

test('a filter longer than the kernel takes is refused', () => {
  const values = Array.from({ length: 5000 }, (_, index) => index);
  const rules: SeccompRule[] = [{ calls: ['ioctl'], action: 'kill', when: [{ argument: 1, in: values }], why }];
  expect(() => compileSeccomp({ ...base, rules })).toThrow(/instructions are more than 4096/);
});

test('calls an architecture does not have are passed over', () => {
  const answer = answers({
    ...base,
    architecture: 'aarch64',
    rules: [{ calls: ['open', 'openat'], action: 'kill', why }],
  });
  expect(answer('openat')).toBe(KILL);
  expect(answer(X86_64_SYSCALLS.open)).toBe(ALLOW);
});

test('instructions are laid out as struct sock_filter', () => {
  expect([...encodeBpf([{ code: BPF.jumpEqual, jt: 1, jf: 2, k: 0xc000003e }])]).toEqual([
    0x15, 0, 1, 2, 0x3e, 0, 0, 0xc0,
  ]);
});
