// Where the engine's own touches of the kernel are noted: system calls through libc, netlink messages, files of control
// groups and of state, and the steps of launch plans. Whoever wants them runs the work inside `traceTo`; without a
// listener a touch costs one comparison.
import { AsyncLocalStorage } from 'node:async_hooks';

/** One touch of the kernel. */
export interface Touch {
  readonly kind: 'call' | 'netlink' | 'write' | 'gate';
  /** "engine" for the daemon itself; else the block of the launch plan whose process did it. */
  readonly by: string;
  /** System call, netlink message type, or what was done to the file. */
  readonly name: string;
  /** As a person reads them. */
  readonly args: readonly string[];
  /** What came back; -1 when it failed, null when nothing does. */
  readonly result: number | null;
  readonly errno: string | null;
  /** CLOCK_MONOTONIC, nanoseconds: process.hrtime's. */
  readonly beganNs: bigint;
  readonly ns: number;
}

type Sink = (touch: Touch) => void;

const storage = new AsyncLocalStorage<Sink>();
let sinks = 0;

/** The sink of the operation that is running here, if somebody listens to it. */
export function tracer(): Sink | undefined {
  // An AsyncLocalStorage that was never entered costs nothing, one that was costs each lookup: the count comes first.
  return sinks === 0 ? undefined : storage.getStore();
}

/** Runs the work; all that it touches of the kernel until it settles goes to the sink. */
export async function traceTo<T>(sink: Sink, work: () => Promise<T>): Promise<T> {
  sinks += 1;
  let open = true;
  // What the work started may go on after it (a follower of output): that is not told any more.
  const whileOpen: Sink = (touch) => open && sink(touch);
  try {
    return await storage.run(whileOpen, work);
  } finally {
    open = false;
    sinks -= 1;
  }
}

/** Notes a synchronous touch that throws when it fails; `errnoOf` reads the errno's name from what was thrown. */
export function touched<T>(
  about: Pick<Touch, 'kind' | 'name' | 'args'>,
  run: () => T,
  errnoOf: (error: unknown) => string,
): T {
  const sink = tracer();
  if (sink === undefined) return run();
  const beganNs = process.hrtime.bigint();
  const note = (result: number, errno: string | null) =>
    sink({ ...about, by: 'engine', result, errno, beganNs, ns: Number(process.hrtime.bigint() - beganNs) });
  try {
    const result = run();
    note(0, null);
    return result;
  } catch (error) {
    note(-1, errnoOf(error));
    throw error;
  }
}
