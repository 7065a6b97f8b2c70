// What a graph driver is: it keeps layers as directories, stacks them, and says how a stack is mounted. Types only; the
// drivers are overlay.ts and vfs.ts.
import type { DiffEvent } from './diff-event.ts';

/** How a root file system comes about, as data: a launch plan makes these mounts inside the container's own mount
 * namespace, so the host never sees them and nothing is left to unmount. */
export type RootfsMount =
  | {
      readonly kind: 'overlay';
      /** Directories, topmost first. mount(2) takes one page of options: overlayOptions (overlay-options.ts) makes them fit. */
      readonly lower: readonly string[];
      /** Absent for a view that nobody writes. */
      readonly writable?: { readonly upper: string; readonly work: string };
      /** More options: "volatile" (only what need not survive a crash), "userxattr", "metacopy=off" … */
      readonly options: readonly string[];
    }
  | { readonly kind: 'directory'; readonly path: string };

export interface GraphDriver {
  readonly name: 'overlay' | 'vfs';
  /** [key, value] lines for `docker info`. */
  status(): readonly (readonly [string, string])[];
  /** A new read-only layer on a parent, filled by `fill`, which writes into `directory` (overlay: only what the layer adds,
   * whiteouts in overlay's form; vfs: a whole copy of the parent with the changes applied). Whole or not there at all.
   * Throws conflict when it is there already; where two are made at once, the later one is thrown away. */
  createLayer(id: string, parentId: string | null, fill: (layer: LayerTarget) => Promise<void>): Promise<void>;
  hasLayer(id: string): boolean;
  /** A writable layer on a read-only one; `parentId` null is an empty root. */
  createWritable(id: string, parentId: string | null): Promise<void>;
  /** How the root file system of a layer, or of a writable one, is mounted. */
  mountOf(id: string, options?: { readonly volatile?: boolean }): RootfsMount;
  /** Removes a layer or a writable layer. Gone already is fine. */
  remove(id: string): Promise<void>;
  /** Ids of all layers, of both kinds: for the collection of what a crash left. */
  list(): { readonly layers: string[]; readonly writable: string[] };
  /** What a layer or writable layer changes against its parent, file by file: for changesOf (layer-changes.ts, docker
   * diff) and layerTar (layer-tar.ts). Ask for the next only when done with the last; end the generator. */
  differences(id: string): Generator<DiffEvent>;
  /** Bytes on disk of what the layer itself adds. */
  sizeBytes(id: string): Promise<number>;
}

/** Where a layer's tar is unpacked to. */
export interface LayerTarget {
  readonly directory: string;
  /** overlay: a whiteout becomes a 0/0 character device, an opaque directory an xattr; removed: the file is taken away. */
  readonly whiteouts: 'overlay' | 'removed';
}

export interface LayerChange {
  /** Absolute in the container: "/etc/passwd". */
  readonly path: string;
  readonly kind: 'modified' | 'added' | 'deleted';
}
