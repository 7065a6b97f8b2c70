// One image of the store: its configuration, its manifest, its layers. Immutable; its names are the reference store's.
import { z } from 'zod';
import { type Digest, isDigest } from '../model/digest.ts';
import {
  DOCUMENT_MAX_BYTES,
  type ImageConfig,
  imageConfigSchema,
  type Manifest,
  manifestSchema,
  readDocument,
} from '../model/image-manifest.ts';
import type { BlobStore } from './blob-store.ts';
import { chainIds } from './sha256.ts';

const digest = z.custom<Digest>((value) => typeof value === 'string' && isDigest(value));

/** What is written to disk besides the blobs. */
export const imageRecordSchema = z.object({
  /** Of the configuration: the image's id. */
  id: digest,
  manifest: digest,
  /** The image it was made from, here: builds and commits have one. */
  parent: digest.nullable(),
  /** When it last got a name, or came. */
  taggedAtMs: z.number(),
  /** It was removed by force while a stopped container used it: its layers stay until that is gone, too. */
  hidden: z.boolean(),
});
export type ImageRecord = Readonly<z.infer<typeof imageRecordSchema>>;

export interface StoredImage {
  readonly id: Digest;
  readonly record: ImageRecord;
  readonly config: ImageConfig;
  readonly manifest: Manifest;
  /** One for each layer, lowest first. */
  readonly chainIds: readonly Digest[];
  /** 1970 for an image that does not say. */
  readonly createdAtMs: number;
}

/** Reads an image's documents. Throws as BlobStore.read and readDocument do. */
export function openImage(blobs: BlobStore, record: ImageRecord): StoredImage {
  const document = (blob: Digest) => blobs.read(blob, DOCUMENT_MAX_BYTES);
  const config = readDocument(imageConfigSchema, document(record.id), `the configuration of image "${record.id}"`);
  const manifest = readDocument(manifestSchema, document(record.manifest), `the manifest of image "${record.id}"`);
  const created = Date.parse(config.created ?? '');
  return {
    id: record.id,
    record,
    config,
    manifest,
    chainIds: chainIds(config.rootfs.diff_ids),
    createdAtMs: Number.isNaN(created) ? 0 : created,
  };
}

/** Every blob an image consists of. */
export const blobsOf = ({ record, manifest }: Pick<StoredImage, 'record' | 'manifest'>): Digest[] => [
  record.id,
  record.manifest,
  ...manifest.layers.map((layer) => layer.digest),
];
