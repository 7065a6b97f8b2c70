import { expect, test } from 'vitest';
import { runBpf } from './bpf-interpreter.ts';
import { REFUSED_IOCTLS, sandboxSeccompFilter, sandboxSeccompPolicy } from './sandbox-seccomp.ts';
import { AUDIT_ARCH, compileSeccomp } from './seccomp-compile.ts';
import { type Architecture, SYSCALL_TABLE, type SyscallName, X86_64_SYSCALLS } from './syscall-table.ts';

function answerOf(architecture: Architecture) {
  const program = compileSeccomp(sandboxSeccompPolicy(architecture));
  return (name: SyscallName, ...args: (number | bigint)[]) => {
    const number = SYSCALL_TABLE[architecture][name] ?? -1;
    const { value } = runBpf(program, { number, architecture: AUDIT_ARCH[architecture], arguments: args });
    return value === 0x7fff_0000 ? 'allow' : value & 0xffff;
  };
}

const ENOSYS =
  'io_uring_setup io_uring_enter io_uring_register add_key request_key keyctl userfaultfd kexec_load kexec_file_load memfd_secret process_madvise uselib ustat sysfs _sysctl';
const EPERM =
  'bpf perf_event_open init_module finit_module delete_module swapon swapoff settimeofday clock_settime adjtimex clock_adjtime acct quotactl quotactl_fd iopl ioperm open_by_handle_at syslog mbind move_pages migrate_pages set_mempolicy vhangup reboot kcmp modify_ldt';

test.each(['x86_64', 'aarch64'] as const)('%s: every listed call is refused, the others are not', (architecture) => {
  const answer = answerOf(architecture);
  const names = Object.keys(SYSCALL_TABLE[architecture]) as SyscallName[];
  const refused = new Map(names.map((name) => [name, answer(name)] as const).filter(([, value]) => value !== 'allow'));
  for (const name of ENOSYS.split(' ') as SyscallName[])
    if (name in SYSCALL_TABLE[architecture]) expect([name, refused.get(name)]).toEqual([name, 38]);
  for (const name of EPERM.split(' ') as SyscallName[])
    if (name in SYSCALL_TABLE[architecture]) expect([name, refused.get(name)]).toEqual([name, 1]);
  const ordinary =
    'read execve clone3 unshare setns mount pivot_root ptrace prctl seccomp setuid chroot mknod bind'.split(' ');
  for (const name of ordinary) expect([...refused.keys()]).not.toContain(name);
});

test('sockets: only the listed families and netlink protocols', () => {
  const answer = answerOf('x86_64');
  const families = Array.from({ length: 64 }, (_, family) => family);
  expect(families.filter((family) => answer('socket', family, 1, 0) === 'allow')).toEqual([1, 2, 10, 16, 17]);
  expect(families.filter((protocol) => answer('socket', 16, 3, protocol) === 'allow')).toEqual([0, 4, 9, 12, 15, 16]);
  expect(answer('socket', 38, 5, 0)).toBe(97);
  expect(answer('socketpair', 38, 5, 0)).toBe(97);
  // The kernel reads 32 bits of the family: a bit above them must not hide AF_ALG, nor make AF_UNIX fail.
  expect(answer('socket', 0x1_0000_0026n, 5, 0)).toBe(97);
  expect(answer('socket', 0x1_0000_0001n, 1, 0)).toBe('allow');
});

test('ioctl: the listed requests are refused, terminals work', () => {
  const answer = answerOf('x86_64');
  for (const request of Object.values(REFUSED_IOCTLS)) expect(answer('ioctl', 0, request)).toBe(1);
  // TCGETS, TIOCSCTTY, TIOCGWINSZ
  for (const request of [0x5401, 0x540e, 0x5413]) expect(answer('ioctl', 0, request)).toBe('allow');
  expect(answer('ioctl', 0, 0xffff_ffff_0000_5412n)).toBe(1);
});

test('a call costs few instructions, and the filter is far from the kernel’s bound', () => {
  const program = compileSeccomp(sandboxSeccompPolicy('x86_64'));
  const steps = Object.values(X86_64_SYSCALLS).map(
    (number) => runBpf(program, { number, architecture: AUDIT_ARCH.x86_64, arguments: [99n, 99n, 99n] }).steps,
  );
  expect(Math.max(...steps)).toBeLessThan(25);
  expect(sandboxSeccompFilter('x86_64').length).toBe(program.length * 8);
  expect(program.length).toBeLessThan(400);
});

test('every rule says why', () => {
  for (const { why } of sandboxSeccompPolicy('x86_64').rules) expect(why.length).toBeGreaterThan(10);
});
