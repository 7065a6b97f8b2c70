// eBPF, as control groups take it for devices: the few instructions that such programs need, how the kernel reads them, and
// how a person does. Pure. linux/bpf.h; kernel bpf/standardization/instruction-set.rst. (Classic BPF: bpf-assembler.ts.)

/** Operation codes: class, source and size in one byte. 32-bit operations clear the upper half. */
export const EBPF = {
  /** BPF_LDX|BPF_MEM|BPF_W: dst = *(u32 *)(src + offset) */
  loadWord: 0x61,
  /** BPF_ALU|BPF_MOV: dst = immediate, dst = src */
  set: 0xb4,
  copy: 0xbc,
  /** BPF_ALU|BPF_AND, BPF_ALU|BPF_RSH, by the immediate */
  and: 0x54,
  shiftRight: 0x74,
  /** BPF_JMP32: pass over `offset` instructions when dst == / != the immediate */
  jumpEqual: 0x16,
  jumpNotEqual: 0x56,
  /** BPF_JMP|BPF_EXIT: ends with r0 */
  exit: 0x95,
} as const;

export type EbpfCode = (typeof EBPF)[keyof typeof EBPF];

/** r0 is the result, r1 at the start the context; r2 … r5 are free. */
export type Register = 0 | 1 | 2 | 3 | 4 | 5;

/** `struct bpf_insn`. */
export interface EbpfInstruction {
  readonly code: EbpfCode;
  readonly dst: Register;
  readonly src: Register;
  readonly offset: number;
  readonly immediate: number;
}

export const EBPF_BYTES = 8;

/** The kernel's BPF_MAXINSNS, the most for programs loaded without CAP_BPF; jumps reach further. */
export const MOST_INSTRUCTIONS = 4096;

/** {u8 code; u8 dst:4, src:4; s16 offset; s32 immediate}, little-endian as x86_64 and aarch64 are. */
export function encodeEbpf(program: readonly EbpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * EBPF_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, dst, src, offset, immediate }, index) => {
    const at = index * EBPF_BYTES;
    view.setUint8(at, code);
    view.setUint8(at + 1, dst | (src << 4));
    view.setInt16(at + 2, offset, true);
    view.setInt32(at + 4, immediate, true);
  });
  return bytes;
}

const TEXT: Readonly<Record<EbpfCode, (instruction: EbpfInstruction) => string>> = {
  [EBPF.loadWord]: ({ dst, src, offset }) => `w${dst} = *(u32 *)(r${src} + ${offset})`,
  [EBPF.set]: ({ dst, immediate }) => `w${dst} = ${immediate}`,
  [EBPF.copy]: ({ dst, src }) => `w${dst} = w${src}`,
  [EBPF.and]: ({ dst, immediate }) => `w${dst} &= ${immediate}`,
  [EBPF.shiftRight]: ({ dst, immediate }) => `w${dst} >>= ${immediate}`,
  [EBPF.jumpEqual]: ({ dst, offset, immediate }) => `if w${dst} == ${immediate} goto +${offset}`,
  [EBPF.jumpNotEqual]: ({ dst, offset, immediate }) => `if w${dst} != ${immediate} goto +${offset}`,
  [EBPF.exit]: () => 'exit',
};

/** One line an instruction, as the kernel's verifier and bpftool print them. */
export const ebpfText = (program: readonly EbpfInstruction[]): string[] => program.map((one) => TEXT[one.code](one));
