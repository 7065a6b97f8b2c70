// Takes compression off a stream, whichever its first bytes say. gzip is done here; the programs zstd, xz and bzip2 do theirs
// where the host has them, as Docker leaves xz to its program.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { EngineError } from '../model/engine-error.ts';

const MAGIC = [
  { name: 'gzip', bytes: [0x1f, 0x8b] },
  { name: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { name: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { name: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
] as const;
const MAGIC_BYTES = 6;
const CHUNK_BYTES = 2 ** 18;

export type Compression = (typeof MAGIC)[number]['name'] | 'none';

/** By the first bytes of a stream; six are enough. */
export const compressionOf = (head: Uint8Array): Compression =>
  MAGIC.find(({ bytes }) => bytes.every((byte, index) => head[index] === byte))?.name ?? 'none';

async function* rest(head: Uint8Array, more: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield head;
    for (let next = await more.next(); next.done !== true; next = await more.next()) yield next.value;
  } finally {
    await more.return?.();
  }
}

/** The bytes without their compression. Throws invalid_argument for a damaged stream, and where a program is missing. */
export async function* uncompressed(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  const compression = compressionOf(head);
  const whole = rest(head, iterator);
  if (compression === 'none') yield* whole;
  else if (compression === 'gzip') yield* gunzip(whole);
  else yield* byProgram(compression, whole);
}

const damaged = (compression: string, cause: unknown): EngineError =>
  new EngineError(
    'invalid_argument',
    `Cannot read the ${compression} stream: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  );

/** Errors of the source (a client that went away, an engine's own) stay what they are. */
async function* through(source: AsyncIterable<Uint8Array>, into: Writable, out: Readable, name: string) {
  let sourceError: unknown;
  const watched = async function* () {
    try {
      yield* source;
    } catch (error) {
      sourceError = error;
      throw error;
    }
  };
  const fed = pipeline(Readable.from(watched(), { objectMode: false }), into).catch((error: unknown) => {
    out.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  try {
    for await (const chunk of out) yield chunk as Uint8Array;
    await fed;
  } catch (error) {
    throw sourceError ?? damaged(name, error);
  } finally {
    out.destroy();
    into.destroy();
  }
}

async function* gunzip(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const stream = createGunzip({ chunkSize: CHUNK_BYTES });
  yield* through(source, stream, stream, 'gzip');
}

async function* byProgram(program: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const child = spawn(program, ['-dc'], { stdio: ['pipe', 'pipe', 'pipe'] });
  const started = once(child, 'spawn');
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  try {
    await started;
  } catch (error) {
    throw new EngineError(
      'invalid_argument',
      `Cannot read the ${program} stream: the program ${program} is not there; install it, or compress with gzip`,
      { cause: error },
    );
  }
  let said = '';
  child.stderr.on('data', (text: Buffer) => (said = (said + text.toString()).slice(0, 1000)));
  try {
    yield* through(source, child.stdin, child.stdout, program);
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw damaged(program, said.trim() || `the program ended with ${code}`);
  } finally {
    child.kill('SIGKILL');
  }
}
