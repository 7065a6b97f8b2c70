// Runs a seccomp filter in TypeScript as the kernel would: for tests, and to ask what a policy answers. Pure.
import { BPF, type BpfInstruction } from './bpf-assembler.ts';

/** What the kernel gives a filter: `struct seccomp_data` without the instruction pointer, which no filter here reads. */
export interface SeccompCall {
  readonly number: number;
  readonly architecture: number;
  readonly arguments: readonly (number | bigint)[];
}

/** The value the filter returns, and how many instructions that took. Throws RangeError on a program the kernel would refuse. */
export function runBpf(program: readonly BpfInstruction[], call: SeccompCall): { value: number; steps: number } {
  const data = new DataView(new ArrayBuffer(64));
  data.setUint32(0, call.number, true);
  data.setUint32(4, call.architecture, true);
  call.arguments.forEach((argument, index) => {
    data.setBigUint64(16 + index * 8, BigInt.asUintN(64, BigInt(argument)), true);
  });
  let accumulator = 0;
  let steps = 0;
  for (let at = 0; at < program.length; at += 1) {
    const instruction = program[at];
    if (!instruction) break;
    const { code, jt, jf, k } = instruction;
    steps += 1;
    if (Math.max(jt, jf) > 255) throw new RangeError(`jump of instruction ${at} does not fit into 8 bits`);
    if (code === BPF.load) accumulator = data.getUint32(k, true);
    else if (code === BPF.and) accumulator = (accumulator & k) >>> 0;
    else if (code === BPF.jump) at += k;
    else if (code === BPF.jumpEqual) at += accumulator === k ? jt : jf;
    else if (code === BPF.jumpGreaterEqual) at += accumulator >= k ? jt : jf;
    else return { value: k, steps };
  }
  throw new RangeError('the program runs off its end');
}
