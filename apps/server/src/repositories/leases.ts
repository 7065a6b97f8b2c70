// How long a learner's sandbox may stay: kept here so that a restart of this process forgets nobody.
import { write, type Database } from './database.ts';

export interface Lease {
  learner: string;
  sandbox: string;
  /** When somebody last looked (a socket was there). */
  lastSeenAtMs: number;
  startedAtMs: number;
  /** The hard end, moved by "extend". */
  endsAtMs: number;
  frozenAtMs: number | null;
  stoppedAtMs: number | null;
}

export class Leases {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** Those whose sandbox is not stopped. */
  async live(): Promise<Lease[]> {
    return (await this.#db.lease.findMany({ where: { stoppedAt: null } })).map(leaseOf);
  }

  async find(learner: string): Promise<Lease | null> {
    const stored = await this.#db.lease.findUnique({ where: { learnerId: learner } });
    return stored && leaseOf(stored);
  }

  async save(lease: Lease): Promise<void> {
    const data = {
      sandbox: lease.sandbox,
      lastSeenAt: new Date(lease.lastSeenAtMs),
      startedAt: new Date(lease.startedAtMs),
      endsAt: new Date(lease.endsAtMs),
      frozenAt: lease.frozenAtMs === null ? null : new Date(lease.frozenAtMs),
      stoppedAt: lease.stoppedAtMs === null ? null : new Date(lease.stoppedAtMs),
    };
    const { learner } = lease;
    await write(() =>
      this.#db.lease.upsert({ where: { learnerId: learner }, create: { learnerId: learner, ...data }, update: data }),
    );
  }
}

type StoredLease = Awaited<ReturnType<Database['lease']['findMany']>>[number];

function leaseOf(stored: StoredLease): Lease {
  return {
    learner: stored.learnerId,
    sandbox: stored.sandbox,
    lastSeenAtMs: stored.lastSeenAt.getTime(),
    startedAtMs: stored.startedAt.getTime(),
    endsAtMs: stored.endsAt.getTime(),
    frozenAtMs: stored.frozenAt?.getTime() ?? null,
    stoppedAtMs: stored.stoppedAt?.getTime() ?? null,
  };
}
