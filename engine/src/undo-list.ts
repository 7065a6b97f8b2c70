// Steps that take back what was done so far, last first: an operation that fails leaves nothing half-created.
import type { Logger } from 'pino';

export class UndoList {
  readonly #steps: { what: string; undo: () => unknown }[] = [];

  add(what: string, undo: () => unknown): void {
    this.#steps.push({ what, undo });
  }

  /** Runs every step, also when one fails: that is logged, and collected at the daemon's next start. */
  async run(log: Logger): Promise<void> {
    for (const { what, undo } of this.#steps.splice(0).toReversed()) {
      try {
        await undo();
      } catch (error) {
        log.error({ error }, `Cannot take back "${what}"; the next start of the engine collects it`);
      }
    }
  }
}
