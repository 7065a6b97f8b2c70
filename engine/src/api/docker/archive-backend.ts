// What the routes of files in containers need of the engine; container/archive-verbs.ts is it.
import type { Readable } from 'node:stream';

/** As the header X-Docker-Container-Path-Stat carries it. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** Go's os.FileMode. */
  readonly mode: number;
  /** RFC 3339 with nanoseconds. */
  readonly mtime: string;
  /** Where a link leads in the end, as a path in the container; empty for all else. */
  readonly linkTarget: string;
}

export interface ExtractOptions {
  /** Refuse to put a file where a directory is, and the other way round. */
  readonly keepTypes: boolean;
  /** Files get the container's user as owner. */
  readonly asContainerUser: boolean;
}

export interface ArchiveBackend {
  /** Throws not_found "Could not find the file PATH in container ID". */
  stat(idOrName: string, path: string): Promise<PathStat>;
  /** The stream must be read or destroyed. */
  read(idOrName: string, path: string): Promise<{ readonly stat: PathStat; readonly tar: Readable }>;
  /** `body` is a tar archive, compressed or not. */
  extract(idOrName: string, path: string, options: ExtractOptions, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** The whole root file system without what is mounted in it. */
  export(idOrName: string): Promise<Readable>;
  /** Kind: 0 modified, 1 added, 2 deleted. Sorted by path. */
  changes(idOrName: string): Promise<readonly { readonly Path: string; readonly Kind: 0 | 1 | 2 }[]>;
}
