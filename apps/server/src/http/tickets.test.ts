import { describe, expect, it } from 'vitest';
import { newSessionToken } from './session-cookie.ts';
import { TICKET_LIFE_MS, Tickets } from './tickets.ts';

describe('tickets', () => {
  it('opens one socket, for its own learner', () => {
    const tickets = new Tickets();
    const session = newSessionToken();
    const ticket = tickets.issue('ann', session);
    expect(tickets.redeem(ticket, session)).toBe('ann');
    expect(tickets.redeem(ticket, session)).toBeNull();
  });

  it('is of no use with another session, and spent by the attempt', () => {
    const tickets = new Tickets();
    const session = newSessionToken();
    const ticket = tickets.issue('ann', session);
    expect(tickets.redeem(ticket, newSessionToken())).toBeNull();
    expect(tickets.redeem(ticket, session)).toBeNull();
  });

  it('expires', () => {
    let now = 0;
    const tickets = new Tickets(() => now);
    const session = newSessionToken();
    const [early, late] = [tickets.issue('ann', session), tickets.issue('ann', session)];
    now = TICKET_LIFE_MS;
    expect(tickets.redeem(early, session)).toBe('ann');
    now += 1;
    expect(tickets.redeem(late, session)).toBeNull();
  });

  it.each([undefined, null, 7, '', 'x'.repeat(1000), { toString: () => 'x' }])('refuses %o', (ticket) => {
    expect(new Tickets().redeem(ticket, newSessionToken())).toBeNull();
  });

  it('stays bounded when nobody redeems', () => {
    const tickets = new Tickets(() => 0);
    const session = newSessionToken();
    const first = tickets.issue('ann', session);
    for (let count = 0; count < 10_000; count += 1) tickets.issue('ann', session);
    expect(tickets.redeem(first, session)).toBeNull();
  });
});
