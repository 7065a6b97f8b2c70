// Flow control of one terminal: which byte is expected next, how far xterm has parsed, when to say so. Pure.

/** An acknowledgement is sent each time so many more bytes were parsed (web-stack.md). */
export const ACK_EVERY_BYTES = 128 * 1024;

export interface Flow {
  /** Position after the last byte received. */
  readonly received: number;
  /** Attached at an offset; `lost` says that bytes in between are no longer kept. */
  attached(offset: number): { lost: boolean };
  /** What of a chunk is new: repeated bytes are cut off, a chunk beyond a gap is reported as lost output. */
  receive(offset: number, length: number): { skip: number; lost: boolean };
  /** So many bytes were parsed; answers the offset to acknowledge, or null. */
  parsed(bytes: number): number | null;
}

export function flow(): Flow {
  let received = 0;
  let parsedTo = 0;
  let acknowledged = 0;
  const jump = (offset: number) => {
    received = offset;
    parsedTo = offset;
    acknowledged = offset;
  };
  return {
    get received() {
      return received;
    },
    attached(offset) {
      const lost = offset > received;
      if (lost) jump(offset);
      acknowledged = Math.min(acknowledged, offset);
      return { lost };
    },
    receive(offset, length) {
      const lost = offset > received;
      if (lost) jump(offset);
      const skip = Math.min(length, received - offset);
      received += length - skip;
      return { skip, lost };
    },
    parsed(bytes) {
      parsedTo += bytes;
      if (parsedTo - acknowledged < ACK_EVERY_BYTES) return null;
      acknowledged = parsedTo;
      return parsedTo;
    },
  };
}
