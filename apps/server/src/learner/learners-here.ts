// The learners that this process serves now, and the clock that enforces their leases.
import type { Logger } from 'pino';
import type { Leases } from '../repositories/leases.ts';
import { LearnerLab, type LearnerParts } from './learner-lab.ts';

export type SharedParts = Omit<LearnerParts, 'learner'>;

const ENFORCE_EVERY_MS = 10_000;

export class LearnersHere {
  readonly #parts: SharedParts;
  readonly #labs = new Map<string, LearnerLab>();
  #timer: NodeJS.Timeout | null = null;

  constructor(parts: SharedParts) {
    this.#parts = parts;
  }

  of(learner: string): LearnerLab {
    const known = this.#labs.get(learner);
    if (known) return known;
    const lab = new LearnerLab({ ...this.#parts, learner });
    this.#labs.set(learner, lab);
    return lab;
  }

  /** Enforces every lease from now on, those of learners who have not come back since the last start included. */
  start(): void {
    this.#timer = setInterval(() => void this.enforce(this.#parts.leases, this.#parts.log), ENFORCE_EVERY_MS);
  }

  async enforce(leases: Leases, log: Logger): Promise<void> {
    try {
      for (const { learner } of await leases.live())
        // One learner's failing engine call must not keep the others' leases from being enforced.
        await this.of(learner)
          .enforceLease()
          .catch((error: unknown) => log.warn({ error, learner }, 'a lease was not enforced'));
    } catch (error) {
      log.error({ error }, 'leases could not be read');
    }
  }

  async close(): Promise<void> {
    if (this.#timer) clearInterval(this.#timer);
    await Promise.all([...this.#labs.values()].map((lab) => lab.close()));
  }
}
