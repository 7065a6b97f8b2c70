// A stream of differences as `docker diff` lists it: kinds, sorted by path, the directories above a change listed as
// modified, and nothing of what the engine made for its mounts.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ByteString, bytes, shown, splitPath } from '../kernel/byte-string.ts';
import { isDirectory } from '../kernel/stat.ts';
import type { DiffEvent } from './diff-event.ts';
import { isEngineMade } from './engine-made.ts';
import type { LayerChange } from './graph-driver.ts';

const EVENTS_PER_TURN = 256;

/** All of them, sorted as Docker sorts: by the bytes of the path. */
export async function changesOf(events: Iterable<DiffEvent>): Promise<LayerChange[]> {
  const kinds = new Map<ByteString, LayerChange['kind']>();
  const held = new Map<ByteString, LayerChange['kind']>();
  let count = 0;
  for (const { kind, path, stat } of events) {
    if ((count += 1) % EVENTS_PER_TURN === 0) await nextTurn();
    if (kind === 'unchanged' || kind === 'opaque') continue;
    if (kind === 'added' && stat !== null && isEngineMade(path, stat)) {
      if (isDirectory(stat)) held.set(path, kind);
      continue;
    }
    kinds.set(path, kind);
    for (
      let { directory } = splitPath(path);
      directory !== bytes('') && !kinds.has(directory);
      { directory } = splitPath(directory)
    )
      kinds.set(directory, held.get(directory) ?? 'modified');
  }
  return [...kinds.keys()]
    .sort()
    .map((path) => ({ path: `/${shown(path)}`, kind: kinds.get(path) as LayerChange['kind'] }));
}
