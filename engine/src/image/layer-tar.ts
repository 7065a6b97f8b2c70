// A layer as an archive: what it changes, whiteouts in the OCI form (opencontainers/image-spec, layer.md); and a whole root
// file system as one (docker export). The same files give the same bytes.
import type { ByteString } from '../kernel/byte-string.ts';
import { bytes, joined, splitPath } from '../kernel/byte-string.ts';
import { isDirectory, statAt, type Stat } from '../kernel/stat.ts';
import { type DiffEvent, namesIn, within } from './diff-event.ts';
import { isEngineMade } from './engine-made.ts';
import { OPAQUE_NAME, whiteoutName } from './layer-path.ts';
import { type ArchivedFile, tarStream } from './tar-stream.ts';

/** The archive of a layer's differences, without what the engine made for its mounts. */
export function layerTar(events: Iterable<DiffEvent>): AsyncGenerator<Buffer> {
  return tarStream(layerFiles(events));
}

function* layerFiles(events: Iterable<DiffEvent>): Generator<ArchivedFile> {
  /** Directories of the engine's own: they come only when something else is in them. */
  let held: { readonly path: ByteString; readonly file: ArchivedFile }[] = [];
  let opaque: ByteString | null = null;
  for (const { kind, path, directory, name, stat } of events) {
    held = held.filter((above) => path.startsWith(`${above.path}/`));
    if (kind === 'added' && stat !== null && isEngineMade(path, stat)) {
      // The walk keeps the directory above it open as long as it is inside.
      if (isDirectory(stat)) held.push({ path, file: { path, directory, name, stat } });
      continue;
    }
    for (const { file } of held) yield file;
    held = [];
    if (kind === 'deleted') {
      const { directory: parent } = splitPath(path);
      // The mark of an opaque directory says it already.
      if (parent !== opaque) yield { path: joined(parent, whiteoutName(name)), stat: null };
    } else if (kind === 'opaque') {
      opaque = path;
      yield { path: joined(path, OPAQUE_NAME), stat: null };
    } else if (stat !== null) yield { path, directory, name, stat };
  }
}

/** Everything below an open root directory but the root itself, on all file systems that are mounted there. */
export function* allFiles(root: number): Generator<ArchivedFile> {
  yield* within(root, bytes('.'), 0, function* (fd) {
    if (fd !== null) yield* filesIn(fd, bytes(''), 1);
  });
}

function* filesIn(directory: number, path: ByteString, depth: number): Generator<ArchivedFile> {
  for (const name of namesIn(directory, path)) {
    const stat = statAt(directory, name);
    if (stat === null) continue;
    yield* fileAndBelow(directory, name, joined(path, name), stat, depth);
  }
}

/** One file, and where it is a directory all below it, archived at `path`. */
export function* fileAndBelow(
  directory: number,
  name: ByteString,
  path: ByteString,
  stat: Stat,
  depth = 1,
): Generator<ArchivedFile> {
  yield { path, directory, name, stat };
  if (!isDirectory(stat)) return;
  yield* within(directory, name, depth, function* (fd) {
    if (fd !== null) yield* filesIn(fd, path === '/' ? bytes('') : path, depth + 1);
  });
}
