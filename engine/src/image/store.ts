// The images of this engine: an OCI store of blobs, the records and names of images, and their layers in the graph driver.
// Everything that makes or removes an image goes through here. What users ask for (load, save, rmi …) is in files of its own.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '../kernel/atomic-file.ts';
import { type Digest, hexOf, isDigest } from '../model/digest.ts';
import { EngineError } from '../model/engine-error.ts';
import { type Descriptor, MEDIA_TYPE } from '../model/image-manifest.ts';
import {
  canonicalName,
  completed,
  familiarName,
  type ImageReference,
  parseReference,
} from '../model/image-reference.ts';
import { BlobStore } from './blob-store.ts';
import type { GraphDriver } from './graph-driver.ts';
import type { Image, ImageSource } from './image-source.ts';
import { LayerStore } from './layer-store.ts';
import { Pins } from './pins.ts';
import { ReferenceStore } from './reference-store.ts';
import { blobsOf, type ImageRecord, imageRecordSchema, openImage, type StoredImage } from './stored-image.ts';

export interface ImageUser {
  readonly id: string;
  readonly running: boolean;
}

/** What a new image is made of. Its blobs are in the store, and pinned. */
export interface NewImage {
  readonly config: Digest;
  /** One for each diff id of the configuration, lowest first. */
  readonly layers: readonly Descriptor[];
  /** The manifest it came with; without one it is written here. */
  readonly manifest?: Digest;
  readonly parent?: Digest;
}

export class ImageStore implements ImageSource {
  readonly blobs: BlobStore;
  readonly layers: LayerStore;
  readonly references: ReferenceStore;
  /** Blobs of images that are being made. */
  readonly pins = new Pins();
  /** As `docker info` and inspect name it. */
  readonly driverName: string;
  readonly #records: string;
  readonly #images = new Map<Digest, StoredImage>();
  #usersOf: (imageId: string) => readonly ImageUser[] = () => [];

  /** Opens what is on disk. `warn` hears of images that can't be read: they are not shown, nothing of them is deleted. */
  constructor(directory: string, graph: GraphDriver, warn: (message: string) => void) {
    this.driverName = graph.name;
    this.#records = join(directory, 'images');
    mkdirSync(this.#records, { recursive: true, mode: 0o700 });
    this.blobs = new BlobStore(directory);
    this.references = new ReferenceStore(directory);
    this.layers = new LayerStore(graph, (chain) => this.#refersToLayer(chain));
    writeAtomically(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    for (const name of readdirSync(this.#records)) this.#open(name, warn);
  }

  #unreadable = false;

  #open(name: string, warn: (message: string) => void): void {
    if (!/^[0-9a-f]{64}\.json$/.test(name)) {
      rmSync(join(this.#records, name), { force: true });
      return;
    }
    try {
      const record = imageRecordSchema.parse(JSON.parse(readFileSync(join(this.#records, name), 'utf8')));
      const image = openImage(this.blobs, record);
      if (!image.chainIds.every((chain) => this.layers.has(chain))) throw new Error('a layer of it is gone');
      this.#images.set(record.id, image);
    } catch (error) {
      this.#unreadable = true;
      warn(`Cannot open image ${name.slice(0, 12)}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  usedBy(ask: (imageId: string) => { readonly id: string; readonly running: boolean }[]): void {
    this.#usersOf = ask;
  }

  /** The containers that use an image, the running ones first. */
  usersOf(id: Digest): ImageUser[] {
    return [...this.#usersOf(id)].sort((a, b) => Number(b.running) - Number(a.running));
  }

  /** All images but hidden ones. */
  all(): StoredImage[] {
    return [...this.#images.values()].filter(({ record }) => !record.hidden);
  }

  get(id: Digest): StoredImage | undefined {
    const image = this.#images.get(id);
    return image?.record.hidden === false ? image : undefined;
  }

  /** By name, id or unique prefix of an id. Throws not_found "No such image: x:latest". */
  lookup(reference: string): StoredImage {
    const image = this.#byId(reference) ?? this.#byName(reference);
    if (image) return image;
    const shown =
      isDigest(reference) || /^[0-9a-f]{64}$/.test(reference)
        ? reference
        : familiarName(completed(parseReference(reference)));
    throw new EngineError('not_found', `No such image: ${shown}`);
  }

  #byId(reference: string): StoredImage | undefined {
    if (isDigest(reference)) return this.get(reference);
    return /^[0-9a-f]{64}$/.test(reference) ? this.get(`sha256:${reference}`) : undefined;
  }

  #byName(reference: string): StoredImage | undefined {
    if (isDigest(reference) || /^[0-9a-f]{64}$/.test(reference)) return undefined;
    const id = this.references.get(completed(parseReference(reference)));
    if (id !== undefined) return this.get(id);
    const [, prefix] = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(reference) ?? [];
    const found = prefix === undefined ? [] : this.all().filter((image) => hexOf(image.id).startsWith(prefix));
    return found.length === 1 ? found[0] : undefined;
  }

  find(reference: string): Image {
    const { id, config, chainIds } = this.lookup(reference);
    const top = chainIds.at(-1);
    return {
      id,
      defaults: config.config,
      os: config.os,
      architecture: config.architecture,
      topLayer: top === undefined ? null : hexOf(top),
      references: this.namesOf(id),
    };
  }

  /** Its names with tags, as users know them. */
  namesOf(id: Digest): string[] {
    return this.references
      .of(id)
      .filter(({ digest }) => digest === undefined)
      .map(familiarName);
  }

  childrenOf(id: Digest): StoredImage[] {
    return this.all().filter(({ record }) => record.parent === id);
  }

  /** Notes an image whose blobs and layers are there. One that is there already is taken as it is. */
  async add({ config, layers, manifest, parent }: NewImage): Promise<StoredImage> {
    const known = this.#images.get(config);
    const record: ImageRecord = {
      id: config,
      manifest: known?.record.manifest ?? manifest ?? (await this.#writeManifest(config, layers)),
      parent: known?.record.parent ?? parent ?? null,
      taggedAtMs: Date.now(),
      hidden: false,
    };
    return this.#write(record);
  }

  async #writeManifest(config: Digest, layers: readonly Descriptor[]): Promise<Digest> {
    const document = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.manifest,
      config: { mediaType: MEDIA_TYPE.config, digest: config, size: this.blobs.sizeBytes(config) },
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    };
    return this.blobs.putBytes(Buffer.from(JSON.stringify(document)));
  }

  #write(record: ImageRecord): StoredImage {
    const image = openImage(this.blobs, record);
    writeAtomically(join(this.#records, `${hexOf(record.id)}.json`), JSON.stringify(record));
    this.#images.set(record.id, image);
    return image;
  }

  /** The name means this image from now on. */
  tag(reference: ImageReference, id: Digest): void {
    const image = this.get(id);
    if (!image) throw new EngineError('not_found', `No such image: ${id}`);
    this.references.set(reference, id);
    this.#write({ ...image.record, taggedAtMs: Date.now() });
  }

  /** Takes the image away, and its layers and blobs as far as nobody else has them. Returns the layers removed, topmost
   * first. While a container uses it only the image goes. Names must be gone before. */
  async remove(id: Digest): Promise<Digest[]> {
    const image = this.#images.get(id);
    if (!image) return [];
    if (this.usersOf(id).length > 0) {
      this.#write({ ...image.record, hidden: true });
      return [];
    }
    return this.#forget(image);
  }

  async #forget(image: StoredImage): Promise<Digest[]> {
    rmSync(join(this.#records, `${hexOf(image.id)}.json`), { force: true });
    this.#images.delete(image.id);
    return this.discard(blobsOf(image), image.chainIds);
  }

  /** Removes of these blobs and layers (lowest first) what no image has and nobody pins. Returns the layers, topmost first. */
  async discard(blobs: Iterable<Digest>, chains: readonly Digest[]): Promise<Digest[]> {
    const removed: Digest[] = [];
    // The first that somebody has is the last to look at: all below are his, too.
    for (const chain of chains.toReversed()) {
      if (!this.layers.has(chain)) continue;
      if (!(await this.layers.remove(chain))) break;
      removed.push(chain);
    }
    this.#removeBlobs(blobs);
    return removed;
  }

  #removeBlobs(candidates: Iterable<Digest>): void {
    const referred = new Set([...this.#images.values()].flatMap(blobsOf));
    for (const blob of candidates) if (!referred.has(blob) && !this.pins.has(blob)) this.blobs.remove(blob);
  }

  #refersToLayer(chain: Digest): boolean {
    for (const image of this.#images.values()) if (image.chainIds.includes(chain)) return true;
    return false;
  }

  /** Forgets hidden images that no container uses any more. */
  async forgetUnused(): Promise<void> {
    for (const image of this.#images.values())
      if (image.record.hidden && this.usersOf(image.id).length === 0) await this.#forget(image);
  }

  /**
   * At the daemon's start, once containers tell which images they use: removes the layers, blobs and names that belong to
   * no image. Not where an image could not be read: what looks like waste may be its.
   */
  async collect(): Promise<void> {
    if (this.#unreadable) return;
    await this.forgetUnused();
    await this.layers.removeUnreferred();
    this.#removeBlobs(this.blobs.list());
    for (const id of this.references.ids())
      if (!this.#images.has(id)) for (const reference of this.references.of(id)) this.references.delete(reference);
  }

  /** "docker.io/library/busybox:latest" of each name, for filters. */
  canonicalNamesOf(id: Digest): string[] {
    return this.references.of(id).map(canonicalName);
  }
}
