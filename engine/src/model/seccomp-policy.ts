// What a seccomp policy is: which calls are answered how, by name and by arguments. Types only; seccomp-compile makes BPF of it.
import type { Architecture, SyscallName } from './syscall-table.ts';

/**
 * Answers that leave the process alive fail with an errno; `kill` ends the whole process with SIGSYS, `killThread` one
 * thread; `trap` sends SIGSYS; `log` allows and notes; `trace` asks a tracer, with a number of 16 bits.
 */
export type SeccompAction =
  | 'allow'
  | 'kill'
  | 'killThread'
  | 'trap'
  | 'log'
  | { readonly errno: SeccompErrno | number }
  | { readonly trace: number };

/** Numbers of asm-generic/errno.h: the same on x86_64 and aarch64. */
export const SECCOMP_ERRNO = { EPERM: 1, ENOSYS: 38, EAFNOSUPPORT: 97 } as const;
export type SeccompErrno = keyof typeof SECCOMP_ERRNO;

/**
 * A condition on one argument. The kernel takes most arguments as 32-bit integers and drops the upper half of the
 * register: these must be compared by 32 bits too, or a caller sets a high bit and slips through. `bits: 64` is for arguments
 * that are longs: clone(2)'s flags, sizes, offsets. Pointers can't be followed.
 */
export type ArgumentTest = {
  readonly argument: 0 | 1 | 2 | 3 | 4 | 5;
  readonly bits?: 64;
  /** Holds when the test does not. */
  readonly not?: true;
} & (
  | {
      /** Holds when the argument, after `mask` if there is one, is one of these. */
      readonly in: readonly (number | bigint)[];
      readonly mask?: number | bigint;
    }
  | { readonly atLeast: number | bigint }
);

export interface SeccompRule {
  readonly calls: readonly (SyscallName | CompatName)[];
  readonly action: SeccompAction;
  /** All must hold. Without any the rule always applies. */
  readonly when?: readonly ArgumentTest[];
  /** Why the rule is there: shown to who asks what a sandbox may do. */
  readonly why: string;
}

/** A name that only a 32-bit ABI may have: "socketcall". */
export type CompatName = string & Record<never, never>;

export interface SeccompPolicy {
  readonly architecture: Architecture;
  /** Calls of 32-bit programs go by the same rules (i386, on x86_64); without it they are foreign. */
  readonly allowsI386?: boolean;
  readonly defaultAction: SeccompAction;
  /** For calls of another ABI: i386 and x32 on x86_64, 32-bit arm on aarch64. Their numbers mean other calls. */
  readonly foreignAction: SeccompAction;
  /** For each call the first rule that applies decides. Names the architecture does not have are passed over. */
  readonly rules: readonly SeccompRule[];
}
