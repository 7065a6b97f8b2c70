// Learners and the browsers they use.
import { hashOfToken, newSessionToken } from '../http/session-cookie.ts';
import { write, type Database } from './database.ts';

const SESSION_LIFE_MS = 365 * 86_400_000;
const MAX_SESSIONS = 1000;

export class Learners {
  readonly #db: Database;
  constructor(db: Database) {
    this.#db = db;
  }

  /** The learner is there from now on. */
  async ensure(id: string): Promise<void> {
    await write(() => this.#db.learner.upsert({ where: { id }, create: { id }, update: { lastSeenAt: new Date() } }));
  }

  /** Whose browser this is; null for a session that ended or never was. */
  async ofSession(token: string): Promise<string | null> {
    const session = await this.#db.session.findUnique({ where: { hash: hashOfToken(token) } });
    if (!session || session.createdAt.getTime() + SESSION_LIFE_MS < Date.now()) return null;
    return session.learnerId;
  }

  /** A new session of this learner; answers the secret for the cookie. The oldest ones go when there are too many. */
  async beginSession(learnerId: string): Promise<string> {
    const token = newSessionToken();
    await write(() => this.#db.session.create({ data: { hash: hashOfToken(token), learnerId } }));
    const beyond = await this.#db.session.findMany({
      orderBy: { createdAt: 'desc' },
      skip: MAX_SESSIONS,
      select: { hash: true },
    });
    if (beyond.length > 0)
      await this.#db.session.deleteMany({ where: { hash: { in: beyond.map(({ hash }) => hash) } } });
    return token;
  }
}
