// What a seccomp policy is: which calls are answered how, by name and by arguments. Types only; seccomp-compile makes BPF of it.
import type { Architecture, SyscallName } from './syscall-table.ts';

/** Answers that leave the process alive fail with an errno; `kill` ends the whole process with SIGSYS. */
export type SeccompAction = 'allow' | 'kill' | { readonly errno: SeccompErrno };

/** Numbers of asm-generic/errno.h: the same on x86_64 and aarch64. */
export const SECCOMP_ERRNO = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;
export type SeccompErrno = keyof typeof SECCOMP_ERRNO;

/**
 * A condition on one argument. The kernel takes most arguments as 32-bit integers and drops the upper half of the
 * register: these must be compared by 32 bits too, or a caller sets a high bit and slips through. `bits: 64` is for arguments
 * that are longs: clone(2)'s flags, sizes, offsets. Pointers can't be followed.
 */
export interface ArgumentTest {
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  /** Holds when the argument, after `mask` if there is one, is one of these. */
  readonly in: readonly (number | bigint)[];
  readonly mask?: number | bigint;
  readonly bits?: 64;
}

export interface SeccompRule {
  readonly calls: readonly SyscallName[];
  readonly action: SeccompAction;
  /** All must hold. Without any the rule always applies. */
  readonly when?: readonly ArgumentTest[];
  /** Why the rule is there: shown to who asks what a sandbox may do. */
  readonly why: string;
}

export interface SeccompPolicy {
  readonly architecture: Architecture;
  readonly defaultAction: SeccompAction;
  /** For calls of another ABI: i386 and x32 on x86_64, 32-bit arm on aarch64. Their numbers mean other calls. */
  readonly foreignAction: SeccompAction;
  /** For each call the first rule that applies decides. Names the architecture does not have are passed over. */
  readonly rules: readonly SeccompRule[];
}
