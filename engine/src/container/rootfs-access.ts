// The files of a container as it sees them: through its first process while it runs; at rest, its root file system with
// its volumes over it, mounted where nobody else sees it.
import { existsSync } from 'node:fs';
import { type ShownMount, openRootfs } from '../image/rootfs.ts';
import { Rooted } from '../kernel/rooted.ts';
import type { RootfsMount } from '../image/graph-driver.ts';
import type { Container } from './container.ts';

export interface RootfsAccess {
  readonly root: Rooted;
  /** Call when done; nothing may be opened through `root` after. */
  close(): void;
}

/** Without `volatile`: what is copied into a container that does not run should stay. */
function settled(mount: RootfsMount): RootfsMount {
  if (mount.kind !== 'overlay') return mount;
  return { ...mount, options: mount.options.filter((option) => option !== 'volatile') };
}

export class RootfsAccesses {
  readonly #scratch: string;
  readonly #filesOf: (container: Container) => Readonly<Record<string, string>>;
  /** Two overlays over one upper directory would not see each other's writes. */
  readonly #atRest = new Map<string, { readonly root: Rooted; users: number }>();

  /** `filesOf`: host paths of the files that are bound into it, by destination. */
  constructor(scratch: string, filesOf: (container: Container) => Readonly<Record<string, string>>) {
    this.#scratch = scratch;
    this.#filesOf = filesOf;
  }

  open(container: Container): RootfsAccess {
    if (container.running !== null) {
      const root = Rooted.ofProcess(container.running.pid);
      return { root, close: () => root.close() };
    }
    const shared = this.#atRest.get(container.id) ?? { root: this.#openAtRest(container), users: 0 };
    this.#atRest.set(container.id, shared);
    shared.users += 1;
    let isOpen = true;
    return {
      root: shared.root,
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        shared.users -= 1;
        if (shared.users > 0) return;
        this.#atRest.delete(container.id);
        shared.root.close();
      },
    };
  }

  /** The root file system alone, to be read: what is mounted in the container is not in it. */
  openWithoutMounts(container: Container): RootfsAccess {
    const root = openRootfs(container.rootfs, this.#scratch);
    return { root, close: () => root.close() };
  }

  #openAtRest(container: Container): Rooted {
    const files = Object.entries(this.#filesOf(container)).map(([destination, source]) => ({
      destination,
      source,
      readOnly: false,
    }));
    const volumes = container.record.mounts
      .filter(({ Type }) => Type !== 'tmpfs')
      .map(({ Destination, Source, RW }) => ({ destination: Destination, source: Source, readOnly: !RW }));
    return openRootfs(settled(container.rootfs), this.#scratch, {
      write: true,
      mounts: inOrder([...files, ...volumes]),
    });
  }
}

/** Parents before what lies in them. Of two mounts of one place the later wins; what is not there any more is left out. */
function inOrder(mounts: readonly ShownMount[]): ShownMount[] {
  const last = new Map(mounts.map((mount) => [mount.destination.replace(/\/+$/, ''), mount]));
  return [...last.values()]
    .filter(({ source }) => existsSync(source))
    .sort((a, b) => a.destination.split('/').length - b.destination.split('/').length);
}
