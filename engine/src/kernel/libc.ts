// The door to libc: binds C prototypes with koffi and turns a failed call into a SysError with the errno's name.
import koffi from 'koffi';
import { constants } from 'node:os';
import { SysError } from '../model/engine-error.ts';
import { tracedCall } from './traced-call.ts';

const libc = koffi.load('libc.so.6');
const nameOf = new Map<number, string>();
// EAGAIN comes before its alias EWOULDBLOCK, ENOTSUP before EOPNOTSUPP: the first name stays.
for (const [name, number] of Object.entries(constants.errno)) if (!nameOf.has(number)) nameOf.set(number, name);

export type CFunction = (...args: unknown[]) => number;

/** Binds a libc function by its C prototype, as the man page gives it: `bind('int socket(int, int, int)')`. */
export function bind(prototype: string): CFunction {
  return tracedCall(prototype, bindUnseen(prototype), lastErrno);
}

/** Like `bind`, for calls that are no step of anybody's work: waiting, polling, and what is noted in a form of its own. */
export function bindUnseen(prototype: string): CFunction {
  return libc.func(prototype) as CFunction;
}

/**
 * Like `bind`, but each call runs in a thread of the pool: for the few calls that sleep in the kernel. A result below
 * zero throws SysError with the target.
 */
export function bindInThread(prototype: string): (target: string, ...args: unknown[]) => Promise<number> {
  const bound = libc.func(prototype);
  return (target, ...args) =>
    new Promise((resolve, reject) => {
      bound.async(...args, (error: Error | null, result: number) => {
        // koffi carries the errno of the thread over to this one for the length of the callback.
        if (error !== null) reject(error);
        else if (result < 0) reject(new SysError(bound.info.name, lastErrno(), target));
        else resolve(result);
      });
    });
}

/** Where bytes are in memory, for a structure that holds a pointer. They must be a whole allocation (Buffer.alloc), and live. */
export function addressOf(bytes: Buffer): bigint {
  return koffi.address(bytes);
}

/** The errno of the last call on this thread, by name: "ENOENT". Read it before anything else runs. */
export function lastErrno(): string {
  return errnoName(koffi.errno());
}

/** The name of an errno that came by another way than a call's result: a netlink acknowledgement, a launch report. */
export function errnoName(number: number): string {
  return nameOf.get(number) ?? `errno ${number}`;
}

/** Passes a result through; below zero throws a SysError that names call, errno and target. */
export function checked(syscall: string, target: string, result: number, hint?: string): number {
  if (result < 0) throw new SysError(syscall, lastErrno(), target, hint);
  return result;
}
