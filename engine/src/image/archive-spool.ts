// The outer tar of an image archive, spooled: its members are files beside the blobs, hashed while they are written, found by
// name. Nothing is ever written under a name that the archive chose.
import { createHash, type Hash } from 'node:crypto';
import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import type { z } from 'zod';
import { type ByteString, shown } from '../kernel/byte-string.ts';
import type { Digest } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import { DOCUMENT_MAX_BYTES, readDocument } from '../model/image-manifest.ts';
import type { BlobStore } from './blob-store.ts';
import { refuseEscape } from './layer-path.ts';
import { type TarEntry, type TarHandler, TarReader } from './tar/reader.ts';
import { uncompressed } from './uncompressed.ts';

export interface SpooledFile {
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

const MEMBERS_MAX = 20_000;
const LINKS_MAX = 8;

const refuse = (why: string, cause?: unknown): EngineError =>
  new EngineError('invalid_argument', `Cannot read the image archive: ${why}`, { cause });

/** "./a//b" and "a/b" are one name. Throws for one that leads out of the archive. */
const memberName = (name: string): string => refuseEscape(name as ByteString).join('/');

class Writer implements TarHandler {
  readonly files = new Map<string, SpooledFile>();
  readonly links = new Map<string, string>();
  readonly #blobs: BlobStore;
  #members = 0;
  #open: { name: string; path: string; fd: number; hash: Hash; size: number; wanted: number } | null = null;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  entry(entry: TarEntry): void {
    if ((this.#members += 1) > MEMBERS_MAX) throw refuse(`it has more than ${MEMBERS_MAX} members`);
    const name = memberName(entry.path);
    // Two images of one layer: writers of archives link instead of writing it twice. A symbolic link is read from where it stands.
    if (entry.type === 'hard link') this.links.set(name, memberName(entry.link));
    else if (entry.type === 'link')
      this.links.set(name, memberName(`${name.split('/').slice(0, -1).join('/')}/${entry.link}`));
    else if (entry.type === 'file') {
      this.#forget(name);
      const path = this.#blobs.incomingPath();
      this.#open = {
        name,
        path,
        fd: openSync(path, 'wx', 0o600),
        hash: createHash('sha256'),
        size: 0,
        wanted: entry.size,
      };
    }
  }

  data(content: Uint8Array, offset: number): void {
    const file = this.#open;
    if (file === null) return;
    if (offset !== file.size) throw refuse(`its member "${shown(file.name as ByteString)}" is a sparse file`);
    file.hash.update(content);
    for (let at = 0; at < content.length;) at += writeSync(file.fd, content, at);
    file.size += content.length;
  }

  entryEnd(): void {
    const file = this.#open;
    if (file === null) return;
    this.close();
    this.files.set(file.name, { path: file.path, digest: `sha256:${file.hash.digest('hex')}`, size: file.size });
    if (file.size !== file.wanted) throw refuse(`its member "${shown(file.name as ByteString)}" is a sparse file`);
  }

  close(): void {
    if (this.#open !== null) closeSync(this.#open.fd);
    if (this.#open !== null && !this.files.has(this.#open.name)) this.#leftovers.push(this.#open.path);
    this.#open = null;
  }

  /** Of members that never came to their end, or came twice. */
  readonly #leftovers: string[] = [];

  #forget(name: string): void {
    const before = this.files.get(name);
    if (before) rmSync(before.path, { force: true });
    this.files.delete(name);
    this.links.delete(name);
  }

  dispose(): void {
    for (const path of [...this.#leftovers, ...[...this.files.values()].map((file) => file.path)])
      rmSync(path, { force: true });
  }
}

export class ArchiveSpool {
  readonly #writer: Writer;

  private constructor(writer: Writer) {
    this.#writer = writer;
  }

  /** Reads an archive to its end, with or without compression. Throws invalid_argument for what is none. */
  static async read(blobs: BlobStore, archive: AsyncIterable<Uint8Array>): Promise<ArchiveSpool> {
    const writer = new Writer(blobs);
    const spool = new ArchiveSpool(writer);
    const reader = new TarReader(writer);
    try {
      for await (const chunk of uncompressed(archive)) reader.push(chunk);
      reader.finish();
      return spool;
    } catch (error) {
      writer.close();
      spool.dispose();
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC')
        throw new EngineError('internal', 'Cannot load images: no space left on device', { cause: error });
      throw error;
    }
  }

  /** A member by its name in the archive, links followed; undefined when there is none. */
  file(name: string): SpooledFile | undefined {
    let at = memberName(name);
    for (let links = 0; links <= LINKS_MAX; links += 1) {
      const target = this.#writer.links.get(at);
      if (target === undefined) return this.#writer.files.get(at);
      at = target;
    }
    throw refuse(`its member "${shown(name as ByteString)}" is a link that leads nowhere`);
  }

  /** Throws invalid_argument when it is not there. */
  need(name: string): SpooledFile {
    const file = this.file(name);
    if (!file) throw refuse(`it has no member "${shown(name as ByteString)}"`);
    return file;
  }

  /** A member of blobs/ by its digest, whose bytes are compared. */
  blob(digest: Digest): SpooledFile {
    const file = this.need(`blobs/${digest.replace(':', '/')}`);
    if (file.digest !== digest) throw refuse(`the bytes of blob "${digest}" have the digest ${file.digest}`);
    return file;
  }

  /** The bytes of a small member. */
  bytes(file: SpooledFile, what: string): Buffer {
    if (file.size > DOCUMENT_MAX_BYTES) throw refuse(`${what} is larger than ${DOCUMENT_MAX_BYTES} bytes`);
    return readFileSync(file.path);
  }

  document<T extends z.ZodType>(schema: T, file: SpooledFile, what: string): z.output<T> {
    return readDocument(schema, this.bytes(file, what), what);
  }

  /** Deletes what nobody adopted. */
  dispose(): void {
    this.#writer.dispose();
  }
}
