// Content by its digest: blobs/sha256/HEX, as an OCI layout has them. What is there is whole and is what its name says: it is
// written beside, hashed while it streams, fsynced, and only then renamed into place. Knows nothing of what the bytes mean.
import { createHash, randomUUID } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Digest, hexOf } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import { sha256 } from './sha256.ts';

export interface PutOptions {
  /** What the content must hash to. */
  readonly digest?: Digest;
  readonly maxBytes?: number;
}

export class BlobStore {
  readonly #blobs: string;
  readonly #incoming: string;

  /** Deletes what a crash left half-written. */
  constructor(directory: string) {
    this.#blobs = join(directory, 'blobs/sha256');
    this.#incoming = join(directory, 'incoming');
    rmSync(this.#incoming, { recursive: true, force: true });
    for (const path of [this.#blobs, this.#incoming]) mkdirSync(path, { recursive: true, mode: 0o700 });
  }

  /** A path beside the blobs, on the same file system, for who writes a file and then has it adopted. */
  incomingPath(): string {
    return join(this.#incoming, randomUUID());
  }

  path(digest: Digest): string {
    return join(this.#blobs, hexOf(digest));
  }

  has(digest: Digest): boolean {
    return existsSync(this.path(digest));
  }

  /** Throws not_found for a blob that is not there. */
  sizeBytes(digest: Digest): number {
    return this.#there(digest, () => statSync(this.path(digest)).size);
  }

  /** A small document, checked against its digest. */
  read(digest: Digest, maxBytes: number): Buffer {
    if (this.sizeBytes(digest) > maxBytes)
      throw new EngineError('invalid_argument', `Cannot read blob "${digest}": it is larger than ${maxBytes} bytes`);
    const bytes = this.#there(digest, () => readFileSync(this.path(digest)));
    if (sha256(bytes) !== digest)
      throw new EngineError(
        'internal',
        `Cannot read blob "${digest}": the bytes on disk are others; remove the image and load it again`,
      );
    return bytes;
  }

  open(digest: Digest): Readable {
    return this.#there(digest, () =>
      createReadStream('', { fd: openSync(this.path(digest), 'r'), highWaterMark: 2 ** 18 }),
    );
  }

  #there<T>(digest: Digest, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
        throw new EngineError('not_found', `Cannot read blob "${digest}": it is not in the store`, { cause: error });
      throw error;
    }
  }

  /** Stores a stream. Throws invalid_argument for another digest or too many bytes; then nothing is left. */
  async put(content: AsyncIterable<Uint8Array>, options: PutOptions = {}): Promise<{ digest: Digest; size: number }> {
    const path = this.incomingPath();
    const hash = createHash('sha256');
    let size = 0;
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        for await (const chunk of content) {
          size += chunk.length;
          if (size > (options.maxBytes ?? Infinity))
            throw new EngineError(
              'invalid_argument',
              `Cannot store a blob: it is larger than ${options.maxBytes} bytes`,
            );
          hash.update(chunk);
          await file.appendFile(chunk);
        }
      } finally {
        await file.close();
      }
      const digest: Digest = `sha256:${hash.digest('hex')}`;
      if (options.digest !== undefined && digest !== options.digest)
        throw new EngineError(
          'invalid_argument',
          `Cannot store blob "${options.digest}": its bytes have the digest ${digest}`,
        );
      await this.adopt(path, digest);
      return { digest, size };
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    }
  }

  /** Stores a small document. */
  async putBytes(bytes: Uint8Array): Promise<Digest> {
    const digest = sha256(bytes);
    if (!this.has(digest))
      await this.put(
        (async function* () {
          yield bytes;
        })(),
        { digest },
      );
    return digest;
  }

  /** Takes a file of `incomingPath` that was hashed while it was written. */
  async adopt(path: string, digest: Digest): Promise<void> {
    if (this.has(digest)) {
      rmSync(path);
      return;
    }
    const file = await open(path, 'r');
    // Not fsyncSync: a layer of a gigabyte would hold up every other request.
    try {
      await file.sync();
    } finally {
      await file.close();
    }
    renameSync(path, this.path(digest));
    const directory = openSync(this.#blobs, 'r');
    fsyncSync(directory);
    closeSync(directory);
  }

  /** Gone already is fine. */
  remove(digest: Digest): void {
    rmSync(this.path(digest), { force: true });
  }

  list(): Digest[] {
    return readdirSync(this.#blobs)
      .filter((name) => /^[0-9a-f]{64}$/.test(name))
      .map((hex) => `sha256:${hex}` as const);
  }
}
