// An answer that goes on: chunked, its headers sent at once, written no faster than the client reads. What fails after
// that is told in the stream, for there is no other place any more.
import type { FastifyReply } from 'fastify';

/**
 * Runs `work` with a way to write; the answer ends with it. `left` is aborted when the client goes away. A `type` of null
 * sends none, as Docker does for some.
 */
export async function answerStream(
  reply: FastifyReply,
  type: string | null,
  left: AbortController,
  work: (write: (bytes: Uint8Array | string) => Promise<void>) => Promise<void>,
): Promise<void> {
  reply.hijack();
  const { raw } = reply;
  raw.on('close', () => left.abort());
  raw.on('error', () => left.abort());
  raw.writeHead(200, type === null ? {} : { 'Content-Type': type });
  raw.flushHeaders();
  const write = (bytes: Uint8Array | string): Promise<void> =>
    raw.destroyed || raw.write(bytes) ? Promise.resolve() : nextDrain();
  const nextDrain = () =>
    new Promise<void>((resolve) => {
      const done = () => {
        raw.off('drain', done);
        raw.off('close', done);
        resolve();
      };
      raw.on('drain', done);
      raw.on('close', done);
      if (raw.destroyed) done();
    });
  try {
    await work(write);
  } catch (error) {
    // A broken connection says that this is not the end of what was to come.
    if (!left.signal.aborted) reply.log.error(error, 'Cannot go on with a stream');
    raw.destroy();
    return;
  }
  raw.end();
}
