import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BlobStore } from './blob-store.ts';
import { KeyedLock } from './keyed-lock.ts';
import { chainIds, sha256 } from './sha256.ts';
import { uncompressed } from './uncompressed.ts';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'drydock-blobs-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function* chunks(...parts: (string | Uint8Array | Error)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part;
    yield typeof part === 'string' ? Buffer.from(part) : part;
  }
}
async function all(source: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts).toString();
}

test('a blob is stored under its digest, once, and read back', async () => {
  const store = new BlobStore(directory);
  const { digest, size } = await store.put(chunks('hel', 'lo'));
  expect([digest, size]).toEqual([sha256('hello'), 5]);
  expect(await store.putBytes(Buffer.from('hello'))).toBe(digest);
  expect(await store.put(chunks('hello'), { digest })).toEqual({ digest, size: 5 });
  expect(store.list()).toEqual([digest]);
  expect(await all(store.open(digest))).toBe('hello');
  expect(store.read(digest, 5).toString()).toBe('hello');
  expect(() => store.read(digest, 4)).toThrow('it is larger than 4 bytes');
  store.remove(digest);
  expect(() => store.open(digest)).toThrow(expect.objectContaining({ kind: 'not_found' }));
  expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
});

test('wrong bytes, too many bytes and a stream that breaks leave nothing', async () => {
  const store = new BlobStore(directory);
  const digest = sha256('hello');
  await expect(store.put(chunks('hullo'), { digest })).rejects.toThrow(`its bytes have the digest ${sha256('hullo')}`);
  await expect(store.put(chunks('hello'), { maxBytes: 4 })).rejects.toThrow('larger than 4 bytes');
  await expect(store.put(chunks('hel', new Error('gone')))).rejects.toThrow('gone');
  expect(store.list()).toEqual([]);
  expect(readdirSync(join(directory, 'incoming'))).toEqual([]);
});

test('bytes that changed on disk are noticed; what a crash left is deleted', async () => {
  const store = new BlobStore(directory);
  const digest = await store.putBytes(Buffer.from('hello'));
  writeFileSync(store.path(digest), 'hullo');
  expect(() => store.read(digest, 100)).toThrow('the bytes on disk are others');
  const left = store.incomingPath();
  writeFileSync(left, 'half');
  expect(new BlobStore(directory).list()).toEqual([digest]);
  expect(existsSync(left)).toBe(false);
});

test.each(['gzip', 'zstd', 'xz', 'bzip2'])('%s is taken off', async (program) => {
  const text = 'some text '.repeat(10_000);
  const packed = execFileSync(program, ['-c'], { input: text });
  expect(await all(uncompressed(chunks(packed.subarray(0, 1), packed.subarray(1, 9), packed.subarray(9))))).toBe(text);
  await expect(all(uncompressed(chunks(packed.subarray(0, packed.length / 2))))).rejects.toMatchObject({
    kind: 'invalid_argument',
    message: expect.stringContaining(`Cannot read the ${program} stream`),
  });
});

test('plain, short and empty streams are left as they are; a source’s own error is not blamed on the compression', async () => {
  expect(await all(uncompressed(chunks('plain', ' text')))).toBe('plain text');
  expect(await all(uncompressed(chunks('x')))).toBe('x');
  expect(await all(uncompressed(chunks()))).toBe('');
  await expect(all(uncompressed(chunks(gzipSync('hello'.repeat(1000)), new Error('gone'))))).rejects.toThrow(/^gone$/);
});

test('chain ids as the specification computes them', () => {
  const [a, b] = [sha256('a'), sha256('b')];
  expect(chainIds([a, b])).toEqual([a, sha256(`${a} ${b}`)]);
  expect(chainIds([])).toEqual([]);
});

test('work of one key waits for its turn, also after a failure; other keys go on', async () => {
  const lock = new KeyedLock();
  const log: string[] = [];
  let go = () => {};
  const first = lock.run('a', async () => {
    await new Promise<void>((resolve) => (go = resolve));
    log.push('first');
    throw new Error('failed');
  });
  const second = lock.run('a', async () => log.push('second'));
  await lock.run('b', async () => log.push('other'));
  go();
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(log).toEqual(['other', 'first', 'second']);
});
