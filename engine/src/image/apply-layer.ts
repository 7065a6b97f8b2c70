// Unpacks a layer: a stream of tar bytes becomes files of a directory, and the digest and size of what streamed by.
import { createHash } from 'node:crypto';
import { Rooted } from '../kernel/rooted.ts';
import type { LayerTarget } from './graph-driver.ts';
import { TarReader } from './tar/reader.ts';
import { type TreeLimits, type TreeOptions, TreeWriter } from './tree-writer.ts';

export interface AppliedLayer {
  /** "sha256:…" of the uncompressed tar: the layer's diff id. The caller compares it. */
  readonly diffId: string;
  /** Of the tar. */
  readonly tarBytes: number;
  /** Of file content written, holes left out. */
  readonly contentBytes: number;
  readonly entries: number;
  /** What this file system, or a user namespace, could not keep: "path: attribute (ERRNO)". */
  readonly skipped: readonly string[];
}

/**
 * Unpacks an uncompressed tar. Throws invalid_argument for an archive that is damaged, leads out of the root or goes
 * beyond the limits, internal with "no space left on device" for a full disk; what was written by then is the caller's to
 * remove (GraphDriver.createLayer does).
 */
export async function applyLayer(
  tar: AsyncIterable<Uint8Array>,
  target: LayerTarget,
  limits: Partial<TreeLimits> = {},
): Promise<AppliedLayer> {
  const root = Rooted.at(target.directory);
  try {
    return await unpack(tar, root, { whiteouts: target.whiteouts, limits });
  } finally {
    root.close();
  }
}

/** The same into any root; all of the stream is read, also what follows the archive's end. */
export async function unpack(
  tar: AsyncIterable<Uint8Array>,
  root: Rooted,
  options: TreeOptions,
): Promise<AppliedLayer> {
  const writer = new TreeWriter(root, options);
  const reader = new TarReader(writer);
  const hash = createHash('sha256');
  let tarBytes = 0;
  try {
    for await (const chunk of tar) {
      hash.update(chunk);
      tarBytes += chunk.length;
      reader.push(chunk);
    }
    reader.finish();
    writer.finish();
  } finally {
    writer.close();
  }
  return {
    diffId: `sha256:${hash.digest('hex')}`,
    tarBytes,
    contentBytes: writer.bytes,
    entries: writer.entries,
    skipped: writer.skipped,
  };
}
