// A container as data: the system calls that make it, in order, for each process that takes part. engine/native/launch.c
// makes exactly these calls; nothing is decided there. Pure: a plan can be built, printed, compared and tested without root.

/** An argument of a call. Strings, vectors and structures are laid into the plan's arena and passed by address. */
export type Value =
  | number
  | bigint
  | null
  /** Address of these bytes, NUL-terminated UTF-8. */
  | string
  | { readonly bytes: Uint8Array }
  /** Address of a NULL-terminated vector of strings: argv, envp. */
  | { readonly strings: readonly string[] }
  /** Address of a string put together when the step runs: `text('/proc/', slot('child'), '/uid_map')`. */
  | { readonly text: readonly (string | Slot)[] }
  /** The result of an earlier step, by value (a descriptor, a pid) — whichever process of the plan made it. */
  | Slot
  /** A descriptor the daemon hands over when it spawns `launch`, by name. */
  | { readonly given: string }
  /** Address of a structure with values patched in: clone_args, mount_attr, sock_fprog, msghdr … */
  | { readonly struct: Uint8Array; readonly patches: readonly Patch[] }
  /** Address of so many zeroed bytes for the kernel to write; `name` lets the report bring them back. */
  | { readonly room: number; readonly name?: string }
  /** Four bytes that an earlier call wrote at `at` of a named room, as a number: a descriptor of pipe2 or socketpair. */
  | { readonly word: string; readonly at: number }
  /** What an earlier call read into a named room, as a number: the digits at its start. 0 without any. */
  | { readonly decimal: string };

export interface Slot {
  readonly slot: string;
}

/** Put `value` (8 bytes, or 4 where `size` says so) at `at` of a structure. */
export interface Patch {
  readonly at: number;
  readonly value: Value;
  readonly size?: 4 | 8;
}

/** One system call. A result below zero ends the plan, unless `mayFail` allows it (all errors, or those named). */
export interface CallStep {
  readonly kind: 'call';
  /** Man-page name; its number comes from the architecture's table. */
  readonly call: string;
  readonly args: readonly Value[];
  readonly save?: string;
  readonly mayFail?: true | readonly string[];
  /** What it is for, where the call alone does not say it; the words of the error when it fails. */
  readonly purpose?: string;
}

/** clone3(2). The child runs the block `child`; the parent goes on with the next step. */
export interface CloneStep {
  readonly kind: 'clone';
  /** CLONE_* bits. */
  readonly flags: bigint;
  readonly child: string;
  readonly save: string;
  /** Where CLONE_PIDFD puts its descriptor. */
  readonly savePidfd?: string;
  /** Directory descriptor for CLONE_INTO_CGROUP (cgroup v2). */
  readonly cgroup?: Value;
}

/** Gates order the processes of one plan (a futex each): `await` sleeps until some process, or the daemon, did `open`. */
export interface GateStep {
  readonly kind: 'open' | 'await';
  readonly gate: string;
}

/** Waits for a child of this process; a status other than 0 ends the plan. */
export interface WaitStep {
  readonly kind: 'wait';
  readonly pid: Value;
}

/**
 * Last step of the first block: tell the daemon that the plan ran, then be the keeper of `pid`: only reader of its
 * terminal or pipes, recorder of its exit status. Ends when the process has ended and all it wrote was read.
 */
export interface KeepStep {
  readonly kind: 'keep';
  readonly pid: Value;
  /** Descriptors in the keeper. A terminal has only `terminal` (the master). */
  readonly terminal?: Value;
  readonly stdin?: Value;
  readonly stdout?: Value;
  readonly stderr?: Value;
}

/**
 * Last step of a block that is the init of a pid namespace: reap children for ever. With `main`, a child of its own, it
 * hands every signal on to that and ends when it ends, with its exit code or 128 + the number of the signal.
 */
export interface InitStep {
  readonly kind: 'init';
  readonly main?: Value;
}

export type Step = CallStep | CloneStep | GateStep | WaitStep | KeepStep | InitStep;

/** `blocks[start]` is run by the keeper; the others by the processes that clone steps make. A block without an `execve`, `init` or `keep` at its end exits 0. */
export interface LaunchPlan {
  readonly start: string;
  readonly blocks: Readonly<Record<string, readonly Step[]>>;
}

export const slot = (name: string): Slot => ({ slot: name });
export const word = (room: string, at: number): Value => ({ word: room, at });
export const text = (...parts: (string | Slot)[]): Value => ({ text: parts });

/** A call step: `call('mount', ['proc', '/proc', 'proc', 14, null])`. */
export function call(
  name: string,
  args: readonly Value[] = [],
  options: Pick<CallStep, 'save' | 'mayFail' | 'purpose'> = {},
): CallStep {
  return { kind: 'call', call: name, args, ...options };
}
