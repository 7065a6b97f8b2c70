// A device list -> the eBPF program that answers for it on cgroup v2 (BPF_PROG_TYPE_CGROUP_DEVICE), exactly as v1's controller
// would (kernel security/device_cgroup.c, match_exception and match_exception_partial). Pure; kernel/cgroup/device-filter.ts
// loads it.
import type { Access, DeviceException, DeviceList } from './device-rules.ts';
import { EBPF, type EbpfCode, type EbpfInstruction, MOST_INSTRUCTIONS, type Register } from './ebpf.ts';
import { EngineError } from './engine-error.ts';

/** linux/bpf.h: BPF_DEVCG_DEV_*, BPF_DEVCG_ACC_*. */
const TYPE = { b: 1, c: 2 } as const;
const ACCESS_BIT: Readonly<Record<Access, number>> = { m: 1, r: 2, w: 4 };
const EVERY_ACCESS = 7;

/** `struct bpf_cgroup_dev_ctx`: access << 16 | type, major, minor. */
const CONTEXT = { access: 0, major: 4, minor: 8 } as const;

/** What is asked for stays in these; r0 is also where a part of the access is looked at. */
const REGISTER = { type: 2, access: 3, major: 4, minor: 5 } as const;

/** A device number has 12 bits of major and 20 of minor; what has more matches nothing, and the verifier's 32 bits hold it. */
const MOST_NUMBER = 2 ** 31 - 1;

const instruction = (code: EbpfCode, dst: Register, immediate = 0, src: Register = 0, offset = 0): EbpfInstruction => ({
  code,
  dst,
  src,
  offset,
  immediate,
});

const load = (dst: Register, offset: number) => instruction(EBPF.loadWord, dst, 0, 1, offset);
const answer = (allowed: boolean) => [instruction(EBPF.set, 0, Number(allowed)), instruction(EBPF.exit, 0)];

/** 1 allows, 0 denies with EPERM. Throws invalid_argument for more rules than a program has room for. */
export function deviceProgram({ allowed, exceptions }: DeviceList): EbpfInstruction[] {
  const program = [
    load(REGISTER.type, CONTEXT.access),
    instruction(EBPF.copy, REGISTER.access, 0, REGISTER.type),
    instruction(EBPF.and, REGISTER.type, 0xffff),
    instruction(EBPF.shiftRight, REGISTER.access, 16),
    load(REGISTER.major, CONTEXT.major),
    load(REGISTER.minor, CONTEXT.minor),
    ...exceptions.flatMap((exception) => matched(exception, allowed)),
    ...answer(allowed),
  ];
  if (program.length > MOST_INSTRUCTIONS)
    throw new EngineError(
      'invalid_argument',
      `Cannot bound devices: ${exceptions.length} rules are more than a program of ${MOST_INSTRUCTIONS} instructions has room for; give wider rules`,
    );
  return program;
}

/** Answers against the default when the exception is for what is asked; else falls through to what follows. */
function matched({ type, major, minor, access }: DeviceException, allowed: boolean): EbpfInstruction[] {
  const bits = access.reduce((sum, one) => sum | ACCESS_BIT[one], 0);
  const tests: ((offset: number) => EbpfInstruction)[][] = [
    [unless(EBPF.jumpNotEqual, REGISTER.type, TYPE[type])],
    accessTests(bits, allowed),
    numberTest(REGISTER.major, major),
    numberTest(REGISTER.minor, minor),
  ];
  const found = answer(!allowed);
  const flat = tests.flat();
  return [...flat.map((test, index) => test(flat.length - index - 1 + found.length)), ...found];
}

/** A test that passes over the rest; given how many instructions that is. */
const unless = (code: EbpfCode, register: Register, immediate: number) => (offset: number) =>
  instruction(code, register, immediate, 0, offset);

/**
 * An allowance holds when it has all that is asked for at once (opening for reading and writing asks for both); a denial
 * when it has any of it.
 */
function accessTests(bits: number, allowed: boolean): ((offset: number) => EbpfInstruction)[] {
  const part = allowed ? bits : EVERY_ACCESS & ~bits;
  if (part === (allowed ? EVERY_ACCESS : 0)) return [];
  return [
    () => instruction(EBPF.copy, 0, 0, REGISTER.access),
    () => instruction(EBPF.and, 0, part),
    unless(allowed ? EBPF.jumpEqual : EBPF.jumpNotEqual, 0, 0),
  ];
}

function numberTest(register: Register, number: number | null): ((offset: number) => EbpfInstruction)[] {
  return number === null ? [] : [unless(EBPF.jumpNotEqual, register, Math.min(number, MOST_NUMBER))];
}
