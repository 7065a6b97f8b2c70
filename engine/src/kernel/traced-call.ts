// A libc function that notes its calls (trace.ts) the way strace prints them. Descriptors show what they are open on.
import { readlinkSync } from 'node:fs';
import { printBytes } from '../model/plan-report.ts';
import { SYSCALL_TABLE } from '../model/syscall-table.ts';
import { tracer } from './trace.ts';

type CFunction = (...args: unknown[]) => number;

const numbers = SYSCALL_TABLE[process.arch === 'arm64' ? 'aarch64' : 'x86_64'];
const nameOf = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
const PRINTED_CHARACTERS = 200;

/** Name and parameters of a C prototype: `int fcntl(int fd, long argument)` -> fcntl, ["fd", "argument"]. */
export function readPrototype(prototype: string): { name: string; parameters: string[] } {
  const [, name = prototype, list = ''] = /(\w+)\s*\((.*)\)\s*$/s.exec(prototype) ?? [];
  return { name, parameters: list.split(',').map((one) => /(\w+)\s*$/.exec(one)?.[1] ?? '') };
}

/** The same function; its calls are noted when somebody listens. */
export function tracedCall(prototype: string, call: CFunction, errnoText: () => string): CFunction {
  const { name, parameters } = readPrototype(prototype);
  return (...args) => {
    const sink = tracer();
    if (sink === undefined) return call(...args);
    const beganNs = process.hrtime.bigint();
    const result = call(...args);
    const ns = Number(process.hrtime.bigint() - beganNs);
    // syscall(2) by number: its first argument says which.
    const isIndirect = name === 'syscall';
    const shown = isIndirect ? args.slice(1) : args;
    const names = isIndirect ? parameters.slice(1) : parameters;
    sink({
      kind: 'call',
      by: 'engine',
      name: isIndirect ? (nameOf.get(Number(args[0])) ?? `syscall ${Number(args[0])}`) : name,
      args: shown.map((value, index) => printArgument(value, names[index] ?? '')),
      result,
      errno: result < 0 ? errnoText() : null,
      beganNs,
      ns,
    });
    return result;
  };
}

function printArgument(value: unknown, name: string): string {
  if (value === null || value === undefined) return 'NULL';
  if (typeof value === 'string') return JSON.stringify(value.slice(0, PRINTED_CHARACTERS));
  if (value instanceof Uint8Array) return printBytes(value);
  if (Array.isArray(value)) return `[${value.map((one) => printArgument(one, '')).join(', ')}]`;
  if (typeof value === 'number' && value >= 0 && /^(fd|.*Fd|descriptor|directory)$/.test(name)) return openOn(value);
  return typeof value === 'number' || typeof value === 'bigint' ? String(value) : typeof value;
}

/** As `strace -y`: `7</proc/1/ns/net>`. */
function openOn(fd: number): string {
  try {
    return `${fd}<${readlinkSync(`/proc/self/fd/${fd}`)}>`;
  } catch {
    return String(fd);
  }
}
