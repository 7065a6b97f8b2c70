// Codec of the proc connector's messages (linux/cn_proc.h, linux/connector.h): bytes to events and back. Pure.

/** Bits of proc_event.what that are listened to. COREDUMP, PTRACE, SID and GID are not. */
export const PROC_EVENT = { fork: 0x1, exec: 0x2, uid: 0x4, comm: 0x200, exit: 0x8000_0000 } as const;

export type ProcEvent = {
  /** Milliseconds of the monotonic clock, as process.hrtime counts (ktime_get_ns). */
  monotonicMs: number;
  pid: number;
} & (
  | { kind: 'fork'; parentPid: number }
  | { kind: 'exec' | 'uid' | 'comm' }
  /** A thread other than the main one has ended: what is left of the process must be looked at. */
  | { kind: 'thread-exit' }
  /** The main thread has ended, as wait(2) tells it. */
  | { kind: 'exit'; code: number | null; signal: number | null; parentPid: number }
);

const NLMSG_HEADER_BYTES = 16;
const CN_HEADER_BYTES = 20;
const EVENT_OFFSET = NLMSG_HEADER_BYTES + CN_HEADER_BYTES;
const DATA_OFFSET = EVENT_OFFSET + 16;
const NLMSG_DONE = 3;
const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;

/** The event of one datagram; null for acknowledgements, new threads, and whatever is not of the connector. */
export function parseProcEvent(message: Buffer): ProcEvent | null {
  if (message.length < DATA_OFFSET + 4 || message.readUInt32LE(0) > message.length) return null;
  if (message.readUInt16LE(4) !== NLMSG_DONE || message.readUInt32LE(16) !== CN_IDX_PROC) return null;
  const field = (index: number): number =>
    message.length >= DATA_OFFSET + 4 * index + 4 ? message.readUInt32LE(DATA_OFFSET + 4 * index) : 0;
  const what = message.readUInt32LE(EVENT_OFFSET);
  const monotonicMs = Number(message.readBigUInt64LE(EVENT_OFFSET + 8)) / 1e6;
  const thread = field(0);
  const pid = field(1);
  switch (what) {
    case PROC_EVENT.fork:
      // parent_pid, parent_tgid, child_pid, child_tgid: a new thread has the tgid of an older one.
      return field(2) === field(3) ? { kind: 'fork', monotonicMs, pid: field(3), parentPid: pid } : null;
    case PROC_EVENT.exec:
      return { kind: 'exec', monotonicMs, pid };
    case PROC_EVENT.uid:
      return thread === pid ? { kind: 'uid', monotonicMs, pid } : null;
    case PROC_EVENT.comm:
      return thread === pid ? { kind: 'comm', monotonicMs, pid } : null;
    case PROC_EVENT.exit: {
      if (thread !== pid) return { kind: 'thread-exit', monotonicMs, pid };
      // exit_code is a wait status (wait(2)): signal in bits 0–6, 0x80 for a core dump, exit code in bits 8–15.
      const status = field(2);
      const signal = status & 0x7f;
      return {
        kind: 'exit',
        monotonicMs,
        pid,
        code: signal === 0 ? (status >>> 8) & 0xff : null,
        signal: signal === 0 ? null : signal,
        parentPid: field(5),
      };
    }
    default:
      return null;
  }
}

/**
 * The message that starts or ends listening. With `events` (a set of PROC_EVENT bits) the kernel filters, from Linux
 * 6.6 on; older kernels ignore a message of that length, so it is sent after one without.
 */
export function controlMessage(operation: 'listen' | 'ignore', events?: number): Buffer {
  const payload = events === undefined ? 4 : 8;
  const message = Buffer.alloc(EVENT_OFFSET + payload);
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE(NLMSG_DONE, 4);
  message.writeUInt32LE(CN_IDX_PROC, 16);
  message.writeUInt32LE(CN_VAL_PROC, 20);
  message.writeUInt16LE(payload, 32);
  message.writeUInt32LE(operation === 'listen' ? 1 : 2, EVENT_OFFSET);
  if (events !== undefined) message.writeUInt32LE(events >>> 0, EVENT_OFFSET + 4);
  return message;
}
