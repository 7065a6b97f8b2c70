// Single-use tickets: the only way to open a socket. In memory on purpose: after a restart the browser asks for another.
import { randomBytes } from 'node:crypto';
import { hashOfToken } from './session-cookie.ts';

interface Ticket {
  learner: string;
  /** Hash of the session it was given to; a ticket that leaks is of no use without that cookie. */
  session: string;
  expiresAtMs: number;
}

export const TICKET_LIFE_MS = 30_000;
const MAX_TICKETS = 10_000;

export class Tickets {
  readonly #tickets = new Map<string, Ticket>();
  readonly #now: () => number;
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** A new ticket for this learner's session, good once within 30 s. */
  issue(learner: string, sessionToken: string): string {
    this.#dropExpired();
    const ticket = randomBytes(24).toString('base64url');
    const expiresAtMs = this.#now() + TICKET_LIFE_MS;
    this.#tickets.set(ticket, { learner, session: hashOfToken(sessionToken), expiresAtMs });
    return ticket;
  }

  /** The learner of a ticket, once: whatever the answer, the ticket is spent. Null when unknown, spent, late or of another session. */
  redeem(ticket: unknown, sessionToken: string): string | null {
    if (typeof ticket !== 'string') return null;
    const found = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    if (!found || found.expiresAtMs < this.#now()) return null;
    return found.session === hashOfToken(sessionToken) ? found.learner : null;
  }

  /** A Map keeps insertion order and every ticket lives equally long: the oldest are first. */
  #dropExpired(): void {
    for (const [ticket, { expiresAtMs }] of this.#tickets) {
      if (expiresAtMs >= this.#now() && this.#tickets.size < MAX_TICKETS) return;
      this.#tickets.delete(ticket);
    }
  }
}
