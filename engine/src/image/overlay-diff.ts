// Reads what an overlay's upper directory changes against what lies below it (Documentation/filesystems/overlayfs.rst).
import { unlinkAt, utimensFd } from '../kernel/at.ts';
import type { ByteString } from '../kernel/byte-string.ts';
import { bytes, joined, shown } from '../kernel/byte-string.ts';
import { isDirectory, isWhiteout, statAt, statOf } from '../kernel/stat.ts';
import { type DiffEvent, looksSame, namesIn, walkFrom, within } from './diff-event.ts';
import { isOpaque } from './overlay-xattr.ts';

/** `below`: a descriptor of the root directory of all layers below, merged. Parents come before what is in them. */
export function overlayDiff(upper: string, below: number): Generator<DiffEvent> {
  return walkFrom(upper, (fd) => within(below, bytes('.'), 0, (lower) => walk(fd, lower, bytes(''), 1)));
}

function* walk(upper: number, lower: number | null, path: ByteString, depth: number): Generator<DiffEvent> {
  for (const name of namesIn(upper, path)) {
    const stat = statAt(upper, name);
    // A container that runs may have taken it away since.
    if (stat === null) continue;
    const was = lower === null ? null : statAt(lower, name);
    const event = { path: joined(path, name), directory: upper, name };
    if (isWhiteout(stat)) {
      if (was !== null) yield { ...event, kind: 'deleted', stat: null };
      continue;
    }
    const same =
      was !== null && looksSame({ directory: upper, name, stat }, { directory: lower as number, name, stat: was });
    yield { ...event, stat, kind: was === null ? 'added' : same ? 'unchanged' : 'modified' };
    if (!isDirectory(stat)) continue;
    const wasDirectory = was !== null && isDirectory(was);
    yield* within(upper, name, depth, function* (inUpper) {
      if (inUpper === null) return;
      if (!wasDirectory) {
        yield* walk(inUpper, null, event.path, depth + 1);
        return;
      }
      yield* within(lower as number, name, depth, function* (inLower) {
        if (inLower !== null && isOpaque(upper, name)) yield* walkOpaque(inUpper, inLower, { ...event, stat }, depth);
        else yield* walk(inUpper, inLower, event.path, depth + 1);
      });
    });
  }
}

/** A directory that was removed and made again: what was in it is gone where it is not there again. */
function* walkOpaque(
  upper: number,
  lower: number,
  event: Omit<DiffEvent, 'kind'>,
  depth: number,
): Generator<DiffEvent> {
  yield { ...event, kind: 'opaque' };
  const now = new Set(namesIn(upper, event.path));
  for (const name of namesIn(lower, event.path)) {
    if (now.has(name)) continue;
    yield { kind: 'deleted', path: joined(event.path, name), directory: upper, name, stat: null };
  }
  yield* walk(upper, lower, event.path, depth + 1);
}

/**
 * Takes away the whiteouts that hide nothing. Overlay leaves out whiteouts only where it merges directories: in one that
 * is of this layer alone, a whiteout would be listed, and not be there.
 */
export function pruneWhiteouts(upper: string, below: number): void {
  const walked = walkFrom(upper, (fd) => within(below, bytes('.'), 0, (lower) => prune(fd, lower, bytes(''), 1)));
  for (const _ of walked);
}

function* prune(upper: number, lower: number | null, path: ByteString, depth: number): Generator<never> {
  const { atime, mtime } = statOf(upper);
  let pruned = false;
  for (const name of namesIn(upper, path)) {
    const stat = statAt(upper, name);
    if (stat === null) continue;
    const was = lower === null ? null : statAt(lower, name);
    if (isWhiteout(stat)) {
      if (was === null) pruned = unlinkAt(upper, name) || pruned;
      continue;
    }
    if (!isDirectory(stat)) continue;
    const merged = was !== null && isDirectory(was) && !isOpaque(upper, name);
    yield* within(upper, name, depth, function* (inUpper) {
      if (inUpper === null) return;
      if (!merged) yield* prune(inUpper, null, joined(path, name), depth + 1);
      else
        yield* within(lower as number, name, depth, (inLower) =>
          prune(inUpper, inLower, joined(path, name), depth + 1),
        );
    });
  }
  if (pruned) utimensFd(upper, atime, mtime, shown(path));
}
