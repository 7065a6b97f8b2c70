// Classic BPF, as seccomp takes it: instructions, and an assembler that writes a program from its end to its start, so that
// every jump is forward and its distance known. Pure. man 2 seccomp; linux/filter.h, linux/bpf_common.h.

/** BPF_LD|BPF_W|BPF_ABS, BPF_ALU|BPF_AND|BPF_K, BPF_JMP with BPF_JA, BPF_JEQ, BPF_JGE (BPF_K), BPF_RET|BPF_K. */
export const BPF = {
  load: 0x20,
  and: 0x54,
  jump: 0x05,
  jumpEqual: 0x15,
  jumpGreaterEqual: 0x35,
  return: 0x06,
} as const;

export type BpfCode = (typeof BPF)[keyof typeof BPF];

/** `struct sock_filter`. jt and jf count instructions to pass over. */
export interface BpfInstruction {
  readonly code: BpfCode;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

/** The kernel's BPF_MAXINSNS. */
export const MAX_INSTRUCTIONS = 4096;

/** A place in the program to jump to: instructions from its end. */
export type Label = number;

/** Builds backwards: first what comes last. Each method returns the label of the instruction it put in front. */
export class BpfAssembler {
  readonly #reversed: BpfInstruction[] = [];
  readonly #returns = new Map<number, Label>();

  /** Ends the program with a value. One instruction serves all jumps near enough; a jump over more than 255 needs another. */
  returning(value: number): Label {
    const known = this.#returns.get(value);
    // Three instructions of room: the branch that asks, and a trampoline for each of its sides.
    if (known !== undefined && this.#reversed.length - known + 3 <= 255) return known;
    const label = this.#put({ code: BPF.return, jt: 0, jf: 0, k: value });
    this.#returns.set(value, label);
    return label;
  }

  /** Loads the 32-bit word at a byte offset of `struct seccomp_data`, then goes on at `next`. */
  load(offset: number, next: Label): Label {
    this.#fallInto(next);
    return this.#put({ code: BPF.load, jt: 0, jf: 0, k: offset });
  }

  and(mask: number, next: Label): Label {
    this.#fallInto(next);
    return this.#put({ code: BPF.and, jt: 0, jf: 0, k: mask });
  }

  /** Compares what was loaded. jt and jf are 8 bits wide: a side too far away gets a jump (32 bits) right behind. */
  branch(code: typeof BPF.jumpEqual | typeof BPF.jumpGreaterEqual, k: number, yes: Label, no: Label): Label {
    const near = (label: Label) => (this.#distance(label) > 253 ? this.#jump(label) : label);
    const [nearYes, nearNo] = [near(yes), near(no)];
    return this.#put({ code, jt: this.#distance(nearYes), jf: this.#distance(nearNo), k });
  }

  /** The program from its start. Throws RangeError over the kernel's 4096 instructions. */
  program(): BpfInstruction[] {
    if (this.#reversed.length > MAX_INSTRUCTIONS)
      throw new RangeError(
        `Cannot compile the filter: ${this.#reversed.length} instructions are more than ${MAX_INSTRUCTIONS}`,
      );
    return this.#reversed.toReversed();
  }

  /** Instructions between one put now and a label. */
  #distance(label: Label): number {
    return this.#reversed.length - label - 1;
  }

  #put(instruction: BpfInstruction): Label {
    return this.#reversed.push(instruction) - 1;
  }

  #jump(label: Label): Label {
    return this.#put({ code: BPF.jump, jt: 0, jf: 0, k: this.#distance(label) });
  }

  #fallInto(next: Label): void {
    if (this.#distance(next) > 0) this.#jump(next);
  }
}

/** Instructions as the kernel reads them: {u16 code; u8 jt; u8 jf; u32 k}, little-endian. */
export function encodeBpf(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * 8);
  const view = new DataView(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, index) => {
    view.setUint16(index * 8, code, true);
    view.setUint8(index * 8 + 2, jt);
    view.setUint8(index * 8 + 3, jf);
    view.setUint32(index * 8 + 4, k, true);
  });
  return bytes;
}
