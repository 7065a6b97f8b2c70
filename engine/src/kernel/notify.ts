// A keeper's way to wake the daemon: a FIFO whose bytes mean "look again" and whose end means "the keeper is gone".
// It is followed by Node's own event loop; nothing polls.
import { Socket } from 'node:net';

export class Notify {
  readonly #socket: Socket;
  readonly #listeners = new Set<() => void>();
  #ended = false;
  /** Resolves when no keeper holds the FIFO any more. */
  readonly ended: Promise<void>;

  /** Takes over `fd`, a FIFO opened O_RDONLY | O_NONBLOCK. */
  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.on('data', () => this.#wake());
    this.#socket.on('error', () => this.#socket.destroy());
    this.ended = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#ended = true;
        resolve();
        this.#wake();
      });
    });
  }

  get isEnded(): boolean {
    return this.#ended;
  }

  /** Calls `listener` at every news and once at the end; returns how to stop that. */
  onNews(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  close(): void {
    this.#socket.destroy();
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}
