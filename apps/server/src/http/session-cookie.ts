// The session cookie and the CSRF token made from it. The cookie's value is a secret of one browser; the database knows
// only its hash.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN = /^[A-Za-z0-9_-]{43}$/;

/** A new session's secret: 256 random bits. */
export const newSessionToken = (): string => randomBytes(32).toString('base64url');

/** What is stored instead of the secret. */
export const hashOfToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Tied to the session: who can't read the cookie can't make it, and it does not tell the cookie. */
export const csrfToken = (sessionToken: string): string =>
  createHmac('sha256', sessionToken).update('drydock csrf').digest('base64url');

/** Compares in constant time. */
export function csrfMatches(sessionToken: string, given: string | undefined): boolean {
  const expected = Buffer.from(csrfToken(sessionToken));
  const actual = Buffer.from(given ?? '');
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}

/** `__Host-` pins the cookie to this host and path, but browsers take it only with Secure, so only under TLS. */
export const cookieName = (secure: boolean): string => (secure ? '__Host-drydock' : 'drydock');

/** The Set-Cookie line: a year, HttpOnly, never sent along from another site. */
export function sessionCookie(token: string, secure: boolean): string {
  const flags = ['Path=/', 'Max-Age=31536000', 'HttpOnly', 'SameSite=Strict'];
  return [`${cookieName(secure)}=${token}`, ...flags, ...(secure ? ['Secure'] : [])].join('; ');
}

/** One cookie's value; the first wins, as browsers send the most specific path first. */
export function readCookie(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}

/** The session's secret as the browser sent it, if it has the shape of one. */
export function readSessionToken(header: string | undefined, secure: boolean): string | undefined {
  const value = readCookie(header, cookieName(secure));
  return value !== undefined && TOKEN.test(value) ? value : undefined;
}
