// Hashes that name things: digests of bytes, and the chain ids of stacked layers (opencontainers/image-spec, config.md).
import { createHash } from 'node:crypto';
import type { Digest } from '../model/digest.ts';

export const sha256 = (content: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** The id of a layer together with all below it: equal diffs on different parents are different file systems. */
export const chainId = (parent: Digest | null, diffId: Digest): Digest =>
  parent === null ? diffId : sha256(`${parent} ${diffId}`);

/** One for each layer, lowest first. */
export function chainIds(diffIds: readonly Digest[]): Digest[] {
  const chains: Digest[] = [];
  for (const diffId of diffIds) chains.push(chainId(chains.at(-1) ?? null, diffId));
  return chains;
}
