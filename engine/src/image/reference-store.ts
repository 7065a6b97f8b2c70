// Which name means which image: one file, replaced atomically. Names are canonical ("docker.io/library/busybox:latest"),
// with a tag or a digest. Knows nothing of what an image is.
import { join } from 'node:path';
import { z } from 'zod';
import { readIfThere, writeAtomically } from '../kernel/atomic-file.ts';
import { type Digest, isDigest } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import {
  canonicalName,
  completed,
  type ImageReference,
  parseReference,
  repositoryOf,
} from '../model/image-reference.ts';

const schema = z.record(
  z.string(),
  z.custom<Digest>((id) => typeof id === 'string' && isDigest(id)),
);

export class ReferenceStore {
  readonly #path: string;
  #references: Map<string, Digest>;

  constructor(directory: string) {
    this.#path = join(directory, 'references.json');
    const text = readIfThere(this.#path);
    this.#references = new Map(text === null ? [] : Object.entries(schema.parse(JSON.parse(text))));
  }

  get(reference: ImageReference): Digest | undefined {
    return this.#references.get(canonicalName(reference));
  }

  /** All names of an image, sorted. */
  of(id: Digest): ImageReference[] {
    return [...this.#references]
      .filter(([, one]) => one === id)
      .map(([name]) => completed(parseReference(name)))
      .sort((a, b) => (canonicalName(a) < canonicalName(b) ? -1 : 1));
  }

  /** The names with a tag of one repository, sorted. */
  tagsOf(repository: ImageReference): ImageReference[] {
    return [...this.#references.keys()]
      .map((name) => completed(parseReference(name)))
      .filter((one) => one.tag !== undefined && repositoryOf(one) === repositoryOf(repository))
      .sort((a, b) => (canonicalName(a) < canonicalName(b) ? -1 : 1));
  }

  /** Every image that has a name. */
  ids(): Set<Digest> {
    return new Set(this.#references.values());
  }

  /** The name now means this image. Returns which it meant before. Errors of the disk leave all as it was. */
  set(reference: ImageReference, id: Digest): Digest | undefined {
    const name = canonicalName(reference);
    const before = this.#references.get(name);
    if (before !== id) this.#write(new Map(this.#references).set(name, id));
    return before;
  }

  /** False: there was no such name. */
  delete(reference: ImageReference): boolean {
    const next = new Map(this.#references);
    if (!next.delete(canonicalName(reference))) return false;
    this.#write(next);
    return true;
  }

  #write(next: Map<string, Digest>): void {
    try {
      writeAtomically(this.#path, JSON.stringify(Object.fromEntries(next), null, 1));
    } catch (error) {
      throw new EngineError('internal', `Cannot write the names of images: ${String(error)}`, { cause: error });
    }
    this.#references = next;
  }
}
