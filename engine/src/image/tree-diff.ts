// Reads what a whole tree changes against another one, for a driver that keeps copies.
import { type ByteString, bytes, joined } from '../kernel/byte-string.ts';
import { isDirectory, statAt } from '../kernel/stat.ts';
import { type DiffEvent, looksSame, namesIn, walkFrom, within } from './diff-event.ts';

/** Two host directories; null: nothing was there. Directories above a change come before it, others that are the same not
 * at all. */
export function treeDiff(now: string, was: string | null): Generator<DiffEvent> {
  return walkFrom(now, function* (fd) {
    if (was === null) yield* walk(fd, null, bytes(''), 1, []);
    else yield* walkFrom(was, (older) => walk(fd, older, bytes(''), 1, []));
  });
}

/** `above`: directories on the way here that have not been told yet. */
function* walk(
  now: number,
  was: number | null,
  path: ByteString,
  depth: number,
  above: DiffEvent[],
): Generator<DiffEvent> {
  const names = new Set(namesIn(now, path));
  const older = new Set(was === null ? [] : namesIn(was, path));
  for (const name of [...new Set([...names, ...older])].sort()) {
    const stat = names.has(name) ? statAt(now, name) : null;
    const old = older.has(name) ? statAt(was as number, name) : null;
    if (stat === null && old === null) continue;
    const event = { path: joined(path, name), directory: now, name, stat };
    const same =
      stat !== null &&
      old !== null &&
      looksSame({ directory: now, name, stat }, { directory: was as number, name, stat: old });
    const kind = stat === null ? 'deleted' : old === null ? 'added' : same ? 'unchanged' : 'modified';
    if (kind !== 'unchanged') yield* above.splice(0);
    if (kind !== 'unchanged') yield { ...event, kind };
    if (stat === null || !isDirectory(stat)) continue;
    const held: DiffEvent[] = kind === 'unchanged' ? [...above, { ...event, kind }] : [];
    const wasDirectory = old !== null && isDirectory(old);
    yield* within(now, name, depth, function* (inNow) {
      if (inNow === null) return;
      if (!wasDirectory) yield* walk(inNow, null, event.path, depth + 1, held);
      else yield* within(was as number, name, depth, (inWas) => walk(inNow, inWas, event.path, depth + 1, held));
    });
    // Told by what was found below.
    if (kind === 'unchanged' && held.length === 0) above.length = 0;
  }
}
