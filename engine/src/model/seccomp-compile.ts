// Compiles a seccomp policy to classic BPF: architecture check, then a balanced search over call numbers, then argument tests.
// Pure. man 2 seccomp; Documentation/userspace-api/seccomp_filter.rst.
import { BPF, BpfAssembler, type BpfInstruction, type Label } from './bpf-assembler.ts';
import {
  type ArgumentTest,
  SECCOMP_ERRNO,
  type SeccompAction,
  type SeccompPolicy,
  type SeccompRule,
} from './seccomp-policy.ts';
import { type Architecture, SYSCALL_TABLE } from './syscall-table.ts';
import { I386_SYSCALLS } from './syscall-table-i386.ts';

/** AUDIT_ARCH_* of linux/audit.h: ELF machine, 64-bit flag, little-endian flag. */
export const AUDIT_ARCH: Readonly<Record<Architecture, number>> = { x86_64: 0xc000_003e, aarch64: 0xc000_00b7 };

const AUDIT_ARCH_I386 = 0x4000_0003;

/** x32 calls come with x86_64's audit architecture and this bit in the number. */
export const X32_SYSCALL_BIT = 0x4000_0000;

/** Offsets in `struct seccomp_data`. */
const DATA = { number: 0, architecture: 4, arguments: 16 } as const;

/** SECCOMP_RET_*; that of an errno has it in its low 16 bits, that of a tracer its number. */
const VALUES = { allow: 0x7fff_0000, kill: 0x8000_0000, killThread: 0, trap: 0x0003_0000, log: 0x7ffc_0000 } as const;

export function actionValue(action: SeccompAction): number {
  if (typeof action === 'string') return VALUES[action];
  if ('trace' in action) return 0x7ff0_0000 | (action.trace & 0xffff);
  return 0x0005_0000 | (typeof action.errno === 'number' ? action.errno & 0xffff : SECCOMP_ERRNO[action.errno]);
}

/** The whole filter. Throws RangeError when it is longer than the kernel takes. */
export function compileSeccomp(policy: SeccompPolicy): BpfInstruction[] {
  const code = new BpfAssembler();
  const isX86 = policy.architecture === 'x86_64';
  const compat = policy.allowsI386 === true && isX86 ? searchTree(code, leaves(code, policy, I386_SYSCALLS)) : null;
  const numberedCompat = compat === null ? null : code.load(DATA.number, compat);
  const search = searchTree(code, leaves(code, policy, SYSCALL_TABLE[policy.architecture]));
  const foreign = () => code.returning(actionValue(policy.foreignAction));
  // 0xffffffff is no x32 call but what a tracer leaves of a call it cancelled; ENOSYS is right for it, too.
  const native = isX86 ? code.branch(BPF.jumpGreaterEqual, X32_SYSCALL_BIT, foreign(), search) : search;
  const numbered = code.load(DATA.number, native);
  const others =
    numberedCompat === null ? foreign() : code.branch(BPF.jumpEqual, AUDIT_ARCH_I386, numberedCompat, foreign());
  const checked = code.branch(BPF.jumpEqual, AUDIT_ARCH[policy.architecture], numbered, others);
  code.load(DATA.architecture, checked);
  return code.program();
}

/** From call number `start` on, up to the next leaf's, the program goes to `label`. */
interface Leaf {
  readonly start: number;
  readonly label: Label;
}

function leaves(code: BpfAssembler, policy: SeccompPolicy, table: Readonly<Partial<Record<string, number>>>): Leaf[] {
  const rulesOf = new Map<number, SeccompRule[]>();
  for (const rule of policy.rules)
    for (const name of rule.calls) {
      const number = table[name];
      if (number !== undefined) rulesOf.set(number, [...(rulesOf.get(number) ?? []), rule]);
    }
  const fallback = actionValue(policy.defaultAction);
  const ranges: { start: number; label: () => Label; key: number | symbol }[] = [];
  const add = (start: number, key: number | symbol, label: () => Label) => {
    if (ranges.at(-1)?.start === start) ranges.pop();
    if (ranges.at(-1)?.key !== key) ranges.push({ start, key, label });
  };
  const plain = (start: number, value: number) => add(start, value, () => code.returning(value));
  plain(0, fallback);
  for (const [number, rules] of [...rulesOf].sort(([a], [b]) => a - b)) {
    const [first] = rules;
    if (first && first.when === undefined) plain(number, actionValue(first.action));
    else add(number, Symbol(number), () => ruleChain(code, rules, fallback));
    plain(number + 1, fallback);
  }
  // Argument tests first, so that plain returns, which can be repeated, stand nearest to the search that jumps to them.
  const chains = new Map(ranges.filter(({ key }) => typeof key === 'symbol').map((one) => [one, one.label()]));
  return ranges.map((range) => ({ start: range.start, label: chains.get(range) ?? range.label() }));
}

/** A balanced tree of comparisons: about eight for a hundred ranges. */
function searchTree(code: BpfAssembler, all: readonly Leaf[]): Label {
  const [only] = all;
  if (all.length === 1 && only) return only.label;
  const middle = Math.ceil(all.length / 2);
  const upper = searchTree(code, all.slice(middle));
  const lower = searchTree(code, all.slice(0, middle));
  return code.branch(BPF.jumpGreaterEqual, all[middle]?.start ?? 0, upper, lower);
}

/** Rules of one call in order; the last to fail goes to the default. */
function ruleChain(code: BpfAssembler, rules: readonly SeccompRule[], fallback: number): Label {
  let next = code.returning(fallback);
  for (const rule of rules.toReversed()) {
    let label = code.returning(actionValue(rule.action));
    for (const test of (rule.when ?? []).toReversed()) label = argumentTest(code, test, label, next);
    next = label;
  }
  return next;
}

const half = (value: number | bigint, high: boolean) =>
  Number(high ? BigInt.asUintN(32, BigInt(value) >> 32n) : BigInt.asUintN(32, BigInt(value)));

/** Goes to `yes` when the test holds, else to `no`. */
function argumentTest(code: BpfAssembler, test: ArgumentTest, yes: Label, no: Label): Label {
  const [held, failed] = test.not ? [no, yes] : [yes, no];
  return 'in' in test ? isOneOf(code, test, held, failed) : isAtLeast(code, test, held, failed);
}

/** 64 bits by halves: a greater high half decides, an equal one leaves it to the low half. */
function isAtLeast(
  code: BpfAssembler,
  { argument, atLeast, bits }: ArgumentTest & { readonly atLeast: number | bigint },
  yes: Label,
  no: Label,
): Label {
  const low = DATA.arguments + argument * 8;
  const lowTest = code.load(low, code.branch(BPF.jumpGreaterEqual, half(atLeast, false), yes, no));
  if (bits !== 64) return lowTest;
  const high = half(atLeast, true);
  const equal = code.branch(BPF.jumpEqual, high, lowTest, no);
  const greater = high === 0xffff_ffff ? equal : code.branch(BPF.jumpGreaterEqual, high + 1, yes, equal);
  return code.load(low + 4, greater);
}

function isOneOf(
  code: BpfAssembler,
  test: Extract<ArgumentTest, { readonly in: unknown }>,
  yes: Label,
  no: Label,
): Label {
  const low = DATA.arguments + test.argument * 8;
  /** Loads one half, masks it, and compares it with each value in turn. */
  const compare = (high: boolean, values: readonly (readonly [number, Label])[], otherwise: Label): Label => {
    let label = otherwise;
    for (const [value, target] of values.toReversed()) label = code.branch(BPF.jumpEqual, value, target, label);
    if (test.mask !== undefined) label = code.and(half(test.mask, high), label);
    return code.load(high ? low + 4 : low, label);
  };
  if (test.bits !== 64)
    return compare(
      false,
      test.in.map((value) => [half(value, false), yes] as const),
      no,
    );
  const highs = new Map<number, number[]>();
  for (const value of test.in)
    highs.set(half(value, true), [...(highs.get(half(value, true)) ?? []), half(value, false)]);
  const lows = [...highs].map(
    ([high, values]) =>
      [
        high,
        compare(
          false,
          values.map((value) => [value, yes] as const),
          no,
        ),
      ] as const,
  );
  return compare(true, lows, no);
}
