import { expect, test } from 'vitest';
import { runBpf } from './bpf-interpreter.ts';
import { dockerSeccomp } from './docker-seccomp.ts';
import { ociSeccompPolicy } from './oci-seccomp.ts';
import type { OciSeccomp } from './oci-spec.ts';
import { AUDIT_ARCH, compileSeccomp, X32_SYSCALL_BIT } from './seccomp-compile.ts';
import { type Architecture, SYSCALL_TABLE } from './syscall-table.ts';
import { I386_SYSCALLS } from './syscall-table-i386.ts';

const ALLOW = 0x7fff_0000;
const [EPERM, ENOSYS] = [0x5_0001, 0x5_0026];
const I386 = 0x4000_0003;

function answers(profile: OciSeccomp, architecture: Architecture = 'x86_64') {
  const program = compileSeccomp(ociSeccompPolicy(profile, architecture));
  const table: Readonly<Record<string, number>> = SYSCALL_TABLE[architecture];
  const native = (name: string, ...args: (number | bigint)[]) =>
    runBpf(program, { number: table[name] ?? Number.NaN, architecture: AUDIT_ARCH[architecture], arguments: args })
      .value;
  const i386 = (name: string, ...args: number[]) =>
    runBpf(program, { number: I386_SYSCALLS[name] ?? Number.NaN, architecture: I386, arguments: args }).value;
  return { native, i386, program };
}

/** What the profile says of a call, read without any compilation. */
function expected(profile: OciSeccomp, name: string): number {
  const rule = profile.syscalls?.find((one) => one.names.includes(name));
  if (rule === undefined) return EPERM;
  return rule.action === 'SCMP_ACT_ALLOW' ? ALLOW : 0x5_0000 | (rule.errnoRet ?? 1);
}

test.each(['x86_64', 'aarch64'] as const)('every call of %s is answered as the profile has it', (architecture) => {
  for (const capabilities of [[], ['CAP_SYS_ADMIN', 'CAP_SYS_PTRACE', 'CAP_BPF'], ['CAP_SYS_CHROOT', 'CAP_SYS_TIME']]) {
    const profile = dockerSeccomp(architecture, capabilities);
    const { native, program } = answers(profile, architecture);
    const byArgument = new Set(profile.syscalls?.filter(({ args }) => args).flatMap(({ names }) => names));
    const names = Object.keys(SYSCALL_TABLE[architecture]).filter((name) => !byArgument.has(name));
    expect(names.map((name) => [name, native(name)])).toEqual(names.map((name) => [name, expected(profile, name)]));
    expect(program.length).toBeLessThan(1000);
  }
});

test('32-bit programs go by the same names', () => {
  const profile = dockerSeccomp('x86_64', []);
  const { i386 } = answers(profile);
  const byArgument = new Set(profile.syscalls?.filter(({ args }) => args).flatMap(({ names }) => names));
  const names = Object.keys(I386_SYSCALLS).filter((name) => !byArgument.has(name));
  expect(names.map((name) => [name, i386(name)])).toEqual(names.map((name) => [name, expected(profile, name)]));
  expect(i386('socketcall')).toBe(ALLOW);
});

test('x32 is not there', () => {
  const { program } = answers(dockerSeccomp('x86_64', []));
  expect(runBpf(program, { number: X32_SYSCALL_BIT, architecture: AUDIT_ARCH.x86_64, arguments: [] }).value).toBe(
    ENOSYS,
  );
});

test('namespaces are CAP_SYS_ADMIN’s, threads and processes everybody’s', () => {
  const { native } = answers(dockerSeccomp('x86_64', []));
  expect(native('clone', 0x11)).toBe(ALLOW);
  for (const flag of [0x2_0000, 0x200_0000, 0x400_0000, 0x800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000])
    expect(native('clone', flag | 0x11)).toBe(EPERM);
  expect(native('clone3')).toBe(ENOSYS);
  expect([native('unshare'), native('setns'), native('mount')]).toEqual([EPERM, EPERM, EPERM]);
  const admin = answers(dockerSeccomp('x86_64', ['CAP_SYS_ADMIN']));
  expect([admin.native('clone', 0x2_0000), admin.native('clone3'), admin.native('mount')]).toEqual([
    ALLOW,
    ALLOW,
    ALLOW,
  ]);
});

test('a socket’s family counts by the 32 bits the kernel reads', () => {
  const { native } = answers(dockerSeccomp('x86_64', []));
  for (let family = 0; family < 50; family += 1)
    for (const high of [0n, 1n << 32n, 0xffff_ffffn << 32n])
      expect([family, native('socket', BigInt(family) | high)]).toEqual([
        family,
        [38, 40].includes(family) ? EPERM : ALLOW,
      ]);
});

test.each([
  ['SCMP_CMP_EQ', (a: bigint, b: bigint) => a === b],
  ['SCMP_CMP_NE', (a: bigint, b: bigint) => a !== b],
  ['SCMP_CMP_LT', (a: bigint, b: bigint) => a < b],
  ['SCMP_CMP_LE', (a: bigint, b: bigint) => a <= b],
  ['SCMP_CMP_GT', (a: bigint, b: bigint) => a > b],
  ['SCMP_CMP_GE', (a: bigint, b: bigint) => a >= b],
])('%s compares all 64 bits', (op, holds) => {
  const values = [0, 1, 2, 0xffff_ffff, 0x1_0000_0000, 0x1_0000_0001, 0x2_0000_0000, 0xf_ffff_ffff_ffff];
  for (const value of values) {
    const { native } = answers({
      defaultAction: 'SCMP_ACT_ERRNO',
      syscalls: [{ names: ['lseek'], action: 'SCMP_ACT_ALLOW', args: [{ index: 1, value, op }] }],
    });
    for (const argument of values)
      expect([argument, native('lseek', 3, argument)]).toEqual([
        argument,
        holds(BigInt(argument), BigInt(value)) ? ALLOW : EPERM,
      ]);
  }
});

test.each([
  ['SCMP_ACT_KILL', 0],
  ['SCMP_ACT_KILL_PROCESS', 0x8000_0000],
  ['SCMP_ACT_TRAP', 0x3_0000],
  ['SCMP_ACT_LOG', 0x7ffc_0000],
  ['SCMP_ACT_TRACE', 0x7ff0_0007],
  ['SCMP_ACT_ERRNO', 0x5_0007],
])('%s is what the kernel calls %i', (action, value) => {
  const { native } = answers({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: [{ names: ['read'], action, errnoRet: 7 }] });
  expect([native('read'), native('write')]).toEqual([value, ALLOW]);
});

test('what no filter can be made of is named', () => {
  const profile = (action: string, op = 'SCMP_CMP_EQ') =>
    ociSeccompPolicy(
      {
        defaultAction: action,
        syscalls: [{ names: ['read'], action: 'SCMP_ACT_LOG', args: [{ index: 0, value: 0, op }] }],
      },
      'x86_64',
    );
  expect(() => profile('SCMP_ACT_NOTIFY')).toThrow('invalid seccomp action: "SCMP_ACT_NOTIFY"');
  expect(() => profile('SCMP_ACT_ALLOW', '==')).toThrow('invalid seccomp operator: "=="');
});
