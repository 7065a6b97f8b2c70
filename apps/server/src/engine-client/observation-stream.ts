// Observations over lab.sock: NDJSON lines, checked one by one. Ends when the engine ends it; who follows decides what then.
import type { IncomingMessage } from 'node:http';
import { observationSchema, type Observation } from '@drydock/engine/model/observed.ts';
import { EngineError } from '@drydock/engine/model/engine-error.ts';
import { errorOf, type EngineHttp } from './engine-http.ts';

/** One observation: 4096 processes with their mounts stay well below. */
const MAX_LINE_BYTES = 32 * 2 ** 20;

export async function* openObservation(
  http: EngineHttp,
  path: string,
  signal: AbortSignal,
): AsyncGenerator<Observation> {
  const response = await http.open({ method: 'GET', path });
  const abort = (): void => void response.destroy();
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    if (response.statusCode !== 200) throw errorOf(response.statusCode ?? 0, await bodyOf(response));
    for await (const line of linesOf(response)) yield observationSchema.parse(JSON.parse(line));
  } catch (cause) {
    if (signal.aborted) return;
    throw cause instanceof EngineError || cause instanceof SyntaxError ? cause : http.absent(cause);
  } finally {
    signal.removeEventListener('abort', abort);
    response.destroy();
  }
}

/** Splits a byte stream at newlines. A line that never ends is refused before it fills the memory. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  for await (const chunk of chunks) {
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    let start = 0;
    for (let end = buffer.indexOf(10); end >= 0; end = buffer.indexOf(10, start)) {
      pending.push(buffer.subarray(start, end));
      const line = Buffer.concat(pending).toString('utf8');
      pending = [];
      pendingBytes = 0;
      start = end + 1;
      if (line !== '') yield line;
    }
    if (start < buffer.length) {
      pending.push(buffer.subarray(start));
      pendingBytes += buffer.length - start;
      if (pendingBytes > MAX_LINE_BYTES) throw new RangeError('Cannot read the observation: a line has no end');
    }
  }
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}
