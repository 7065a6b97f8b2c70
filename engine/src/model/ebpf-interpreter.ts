// Runs an eBPF program of ebpf.ts in TypeScript as the kernel would: for tests, and to ask what a program answers. Pure.
import { EBPF, type EbpfInstruction } from './ebpf.ts';

/**
 * r0 at the end. `context` is what r1 points at. Throws RangeError for what the kernel's verifier refuses: a register that
 * was never set, a read beyond the context, a jump back or off the end.
 */
export function runEbpf(program: readonly EbpfInstruction[], context: DataView): number {
  const registers: (number | undefined)[] = [];
  const valueOf = (register: number) => {
    const value = registers[register];
    if (value === undefined) throw new RangeError(`r${register} is read before it is set`);
    return value;
  };
  for (let at = 0; at < program.length; at += 1) {
    const instruction = program[at];
    if (!instruction) break;
    const { code, dst, src, offset, immediate } = instruction;
    if (offset < 0) throw new RangeError(`instruction ${at} goes back`);
    if (code === EBPF.exit) return valueOf(0);
    if (code === EBPF.loadWord) {
      if (src !== 1) throw new RangeError(`r${src} is no pointer`);
      registers[dst] = context.getUint32(offset, true);
    } else if (code === EBPF.set) registers[dst] = immediate >>> 0;
    else if (code === EBPF.copy) registers[dst] = valueOf(src);
    else if (code === EBPF.and) registers[dst] = (valueOf(dst) & immediate) >>> 0;
    else if (code === EBPF.shiftRight) registers[dst] = valueOf(dst) >>> immediate;
    else if ((valueOf(dst) === immediate >>> 0) === (code === EBPF.jumpEqual)) at += offset;
  }
  throw new RangeError('the program runs off its end');
}
