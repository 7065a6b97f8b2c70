// Who may start now, who waits, and at which place: keeps the host alive when a whole class clicks at once. No kernel
// objects; what is free is read through a function.
export interface Room {
  memoryFree: number;
  memoryTotal: number;
}

/** security.md, setting 12: the host keeps 10 % of its memory. */
const KEPT_FREE = 0.1;
/** What a sandbox takes at its start: keeper, init, two shells, page tables (measured: below 12 MiB). */
const START_BYTES = 12 * 2 ** 20;
/** Starts under way at once: more only make each other slower. */
const AT_ONCE = 3;
const LOOK_AGAIN_MS = 1_000;

interface Waiting {
  readonly id: string;
  readonly go: () => void;
}

export class Admission {
  readonly #waiting: Waiting[] = [];
  readonly #room: () => Room;
  #running = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(room: () => Room) {
    this.#room = room;
  }

  /** Place in the queue, 1 is next; null when not waiting. */
  place(id: string): number | null {
    const index = this.#waiting.findIndex((waiting) => waiting.id === id);
    return index < 0 ? null : index + 1;
  }

  /** Whether a newcomer has to wait for memory rather than just for its turn. */
  full(): boolean {
    const { memoryFree, memoryTotal } = this.#room();
    return memoryFree - (this.#running + 1) * START_BYTES < memoryTotal * KEPT_FREE;
  }

  /** Runs `start` when there is room, first come first served. */
  async run<T>(id: string, start: () => Promise<T>): Promise<T> {
    await new Promise<void>((go) => {
      this.#waiting.push({ id, go });
      this.#admit();
    });
    try {
      return await start();
    } finally {
      this.#running -= 1;
      this.#admit();
    }
  }

  #admit(): void {
    while (this.#waiting.length > 0 && this.#running < AT_ONCE && !this.full()) {
      this.#running += 1;
      this.#waiting.shift()?.go();
    }
    if (this.#waiting.length === 0 || this.#timer) return;
    // Memory comes back without telling us.
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#admit();
    }, LOOK_AGAIN_MS);
    this.#timer.unref();
  }
}
