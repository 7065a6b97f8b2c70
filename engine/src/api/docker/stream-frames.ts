// The frames in which several streams share one connection (moby's swagger, "ContainerAttach", Stream format): a byte for
// the stream, three zeros, the length as a big-endian 32-bit number, the bytes. Pure.

export type StreamName = 'stdin' | 'stdout' | 'stderr';
const NUMBER: Readonly<Record<StreamName, number>> = { stdin: 0, stdout: 1, stderr: 2 };
const HEAD_BYTES = 8;

export const RAW_STREAM = 'application/vnd.docker.raw-stream';
export const MULTIPLEXED_STREAM = 'application/vnd.docker.multiplexed-stream';

/** The head of a frame with so many bytes. */
export function frameHead(stream: StreamName, length: number): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head[0] = NUMBER[stream];
  head.writeUInt32BE(length, 4);
  return head;
}

/** Frames for pieces of output, as one buffer: one write, whatever their number. */
export function frames(pieces: readonly { readonly stream: StreamName; readonly bytes: Uint8Array }[]): Buffer {
  return Buffer.concat(pieces.flatMap(({ stream, bytes }) => [frameHead(stream, bytes.length), bytes]));
}
