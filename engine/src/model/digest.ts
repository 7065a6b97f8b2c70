// Digests as opencontainers/image-spec (descriptor.md, "Digests") writes them: the algorithm, a colon, lower-case hex.
// Computes none: hashing is in image/sha256.ts.
import { EngineError } from './engine-error.ts';

/** "sha256:" and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

const SHA256 = /^sha256:[0-9a-f]{64}$/;
const LENGTHS: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

export const isDigest = (text: string): text is Digest => SHA256.test(text);

/** Throws invalid_argument with the sentences of opencontainers/go-digest; only sha256 is stored here. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text;
  const [algorithm = '', hex = ''] = text.split(':', 2);
  const length = LENGTHS[algorithm];
  if (!/^[A-Za-z0-9+._-]+:[0-9A-Fa-f]+$/.test(text))
    throw new EngineError('invalid_argument', 'invalid checksum digest format');
  if (length === undefined || algorithm !== 'sha256')
    throw new EngineError('invalid_argument', 'unsupported digest algorithm');
  throw new EngineError(
    'invalid_argument',
    hex.length === length ? 'invalid checksum digest format' : 'invalid checksum digest length',
  );
}

/** The hex digits: a blob's file name, a layer's name in the graph driver. */
export const hexOf = (digest: string): string => digest.slice(digest.indexOf(':') + 1);

/** As users see ids in tables and messages: 12 hex digits, no algorithm. */
export const shortId = (id: string): string => hexOf(id).slice(0, 12);
