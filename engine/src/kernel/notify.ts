// A keeper's way to wake the daemon: a FIFO whose bytes mean "look again" and whose end means "the keeper is gone".
// It is followed by Node's own event loop; nothing polls.
import { Socket } from 'node:net';

export class Notify {
  readonly #socket: Socket;
  readonly #listeners = new Set<() => void>();
  #resolve: () => void = () => undefined;
  #ended = false;
  /** Resolves when no keeper holds the FIFO any more; never after close(). */
  readonly ended: Promise<void>;

  /** Takes over `fd`, a FIFO opened O_RDONLY | O_NONBLOCK. */
  constructor(fd: number) {
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', () => this.#wake());
    this.#socket.on('end', () => this.end());
    this.#socket.on('error', () => this.end());
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Calls `listener` at every news and once at the end; returns how to stop that. */
  onNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The keeper is gone: as its FIFO says, or as was found out otherwise (a FIFO that never had a writer says nothing). */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#socket.destroy();
    this.#resolve();
    this.#wake();
  }

  /** Stops listening to a keeper that goes on. */
  close(): void {
    this.#listeners.clear();
    this.#socket.destroy();
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}
