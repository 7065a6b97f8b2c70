// What a path in a layer's archive means: where it leads, and whether its name is a whiteout (opencontainers/image-spec,
// layer.md). Pure.
import { type ByteString, shown } from '../kernel/byte-string.ts';
import { EngineError } from '../model/engine-error.ts';

const MAX_PATH_BYTES = 4095;
const WHITEOUT = '.wh.';
const METADATA = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/** The components without "." and "..". Throws invalid_argument for a path that leads out of the root, or is too long. */
export function refuseEscape(path: ByteString): string[] {
  if (path.length > MAX_PATH_BYTES)
    throw new EngineError(
      'invalid_argument',
      `Cannot unpack "${shown(path.slice(0, 64) as ByteString)}…": its path is longer than ${MAX_PATH_BYTES} bytes`,
    );
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined)
      throw new EngineError('invalid_argument', `Cannot unpack "${shown(path)}": it leads out of the root directory`);
  }
  return parts;
}

/** null: no whiteout. metadata: of a file system that is gone (aufs); nothing is made of it. */
export function whiteoutOf(
  path: ByteString,
  parents: readonly string[],
  name: string,
): { readonly name: ByteString } | 'opaque' | 'metadata' | null {
  if (name === OPAQUE) return 'opaque';
  if (name.startsWith(METADATA) || parents.some((part) => part.startsWith(METADATA))) return 'metadata';
  if (!name.startsWith(WHITEOUT)) return null;
  const hidden = name.slice(WHITEOUT.length);
  if (['', '.', '..'].includes(hidden))
    throw new EngineError('invalid_argument', `Cannot unpack "${shown(path)}": a whiteout must name what it hides`);
  return { name: hidden as ByteString };
}

/** The names whiteouts have in an archive. */
export const whiteoutName = (name: ByteString): ByteString => `${WHITEOUT}${name}` as ByteString;
export const OPAQUE_NAME = OPAQUE as ByteString;
