// The directories an archive puts its entries into, kept open: most entries go where the last one went.
import { O_DIRECTORY, O_NOFOLLOW, O_PATH, closeFd, openAt } from '../kernel/at.ts';
import { type ByteString, splitPath } from '../kernel/byte-string.ts';
import type { Rooted } from '../kernel/rooted.ts';
import { isErrno } from '../model/engine-error.ts';

const MAX_OPEN = 64;

export class ParentDirectories {
  readonly #root: Rooted;
  readonly #make: (directory: number, name: ByteString) => void;
  /** In the order of their last use. */
  readonly #open = new Map<ByteString, number>();

  /** `make` makes a directory that entries need and the archive has not brought. */
  constructor(root: Rooted, make: (directory: number, name: ByteString) => void) {
    this.#root = root;
    this.#make = make;
  }

  /** An O_PATH descriptor that stays ours: it is good until the next call. Links on the way are followed, inside the root. */
  openExisting(path: ByteString): number | null {
    const open = this.#open.get(path);
    if (open !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, open);
      return open;
    }
    try {
      return this.#keep(path, this.#root.open(path, O_PATH | O_DIRECTORY));
    } catch (error) {
      if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return null;
      throw error;
    }
  }

  open(path: ByteString): number {
    const existing = this.openExisting(path);
    if (existing !== null) return existing;
    const { directory, name } = splitPath(path);
    const parent = this.open(directory);
    this.#make(parent, name);
    return this.#keep(path, openAt(parent, name, O_PATH | O_DIRECTORY | O_NOFOLLOW));
  }

  #keep(path: ByteString, fd: number): number {
    for (const [oldest, oldestFd] of this.#open) {
      if (this.#open.size < MAX_OPEN) break;
      this.#open.delete(oldest);
      closeFd(oldestFd);
    }
    this.#open.set(path, fd);
    return fd;
  }

  /** Must be called where a directory was taken away or replaced. `kept` is in use and not below it. */
  forget(kept?: number): void {
    for (const [path, fd] of this.#open) {
      if (fd === kept) continue;
      this.#open.delete(path);
      closeFd(fd);
    }
  }

  close(): void {
    this.forget();
  }
}
