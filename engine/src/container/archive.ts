// Files into and out of containers, with the rules of `docker cp` on the daemon's side (moby's daemon/archive.go): what a
// path means, under which name it is archived, and where nothing may be written.
import { Readable } from 'node:stream';
import { O_DIRECTORY, O_PATH, closeFd } from '../kernel/at.ts';
import { type ByteString, bytes, shown } from '../kernel/byte-string.ts';
import type { Rooted } from '../kernel/rooted.ts';
import { S_IFLNK, type Stat, fileType, isDirectory } from '../kernel/stat.ts';
import { EngineError } from '../model/engine-error.ts';
import { goFileMode } from '../model/file-mode.ts';
import { rfc3339Nano } from '../model/go-time.ts';
import { unpack } from '../image/apply-layer.ts';
import { fileAndBelow } from '../image/layer-tar.ts';
import { type ArchivedFile, tarStream } from '../image/tar-stream.ts';
import { uncompressed } from '../image/uncompressed.ts';
import type { ExtractOptions, PathStat } from '../api/docker/archive-backend.ts';
import type { Container } from './container.ts';
import type { RootfsAccess } from './rootfs-access.ts';

interface Found {
  /** Cleaned and absolute; without what a trailing slash says. */
  readonly path: ByteString;
  /** What the client calls it: "/", "." or the last component. */
  readonly name: string;
  readonly stat: Stat;
}

const missing = (path: string, container: Container): EngineError =>
  new EngineError('not_found', `Could not find the file ${path} in container ${container.name}`);

/** "a//b/../c/" is "/a/c". As Go's filepath.Join("/", path): by the text alone. */
function cleaned(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** A path that ends in a slash or "/." is a directory, and a link there is followed. */
function find(root: Rooted, path: string, container: Container): Found {
  const clean = cleaned(path);
  const asksDirectory = /(^|\/)\.?$/.test(path);
  const stat = asksDirectory ? root.stat(bytes(clean)) : root.lstat(bytes(clean));
  if (stat === null) throw missing(path, container);
  if (asksDirectory && !isDirectory(stat)) throw new EngineError('invalid_argument', `lstat ${path}: not a directory`);
  const name = /(^|\/)\.$/.test(path) && clean !== '/' ? '.' : (clean.split('/').at(-1) as string) || '/';
  return { path: bytes(clean), name, stat };
}

function pathStat(root: Rooted, { path, name, stat }: Found): PathStat {
  return {
    name,
    size: stat.size,
    mode: goFileMode(stat.mode),
    mtime: rfc3339Nano(BigInt(stat.mtime.sec) * 1_000_000_000n + BigInt(stat.mtime.nsec)),
    linkTarget: fileType(stat) === S_IFLNK ? shown(root.resolve(path)) : '',
  };
}

export function statPath(container: Container, { root }: RootfsAccess, path: string): PathStat {
  return pathStat(root, find(root, path, container));
}

/** One file, or a directory with all below it, as a tar in which its name comes first. Closes the access at the stream's end. */
export function readPath(container: Container, access: RootfsAccess, path: string): { stat: PathStat; tar: Readable } {
  const { root } = access;
  const found = find(root, path, container);
  const stat = pathStat(root, found);
  return { stat, tar: streamOf(archived(root, found), access) };
}

function* archived(root: Rooted, { path, name, stat }: Found): Generator<ArchivedFile> {
  const parts = path.split('/');
  const last = parts.pop() as ByteString;
  const isWhole = isDirectory(stat);
  const fd = root.open(isWhole ? path : (parts.join('/') as ByteString), O_PATH | O_DIRECTORY);
  try {
    const files = fileAndBelow(fd, isWhole ? bytes('.') : last, bytes(name), stat);
    // Of the root directory Docker's names are absolute.
    for (const file of files)
      yield name === '/' && file.path !== '/' ? { ...file, path: `/${file.path}` as ByteString } : file;
  } finally {
    closeFd(fd);
  }
}

/** The archive as a stream that closes the access when it is done or destroyed. */
export function streamOf(files: Iterable<ArchivedFile>, access: RootfsAccess): Readable {
  return Readable.from(tarStream(files), { objectMode: false }).once('close', () => access.close());
}

/** Unpacks a tar, compressed or not, into a directory of the container. */
export async function extractTo(
  container: Container,
  { root }: RootfsAccess,
  path: string,
  options: ExtractOptions,
  body: AsyncIterable<Uint8Array>,
): Promise<void> {
  const stat = root.stat(bytes(path));
  if (stat === null) throw missing(path, container);
  if (!isDirectory(stat)) throw new EngineError('invalid_argument', 'extraction point is not a directory');
  const below = root.resolve(bytes(path));
  refuseReadOnly(container, shown(below));
  const owner =
    options.asContainerUser && container.record.config.User !== '' ? (await container.spec()).process.user : undefined;
  await unpack(uncompressed(body), root, {
    whiteouts: 'plain',
    below: below.slice(1) as ByteString,
    keepTypes: options.keepTypes,
    ...(owner === undefined ? {} : { owner: { uid: owner.uid, gid: owner.gid } }),
  });
}

function refuseReadOnly(container: Container, path: string): void {
  const isIn = (destination: string) => path === destination || path.startsWith(`${destination.replace(/\/+$/, '')}/`);
  const [mount] = container.record.mounts
    .filter(({ Destination }) => isIn(Destination))
    .sort((a, b) => b.Destination.length - a.Destination.length);
  if (mount !== undefined && !mount.RW) throw new EngineError('invalid_argument', 'mounted volume is marked read-only');
  if (mount === undefined && container.record.hostConfig.ReadonlyRootfs)
    throw new EngineError('invalid_argument', 'container rootfs is marked read-only');
}
