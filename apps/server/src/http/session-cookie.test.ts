import { describe, expect, it } from 'vitest';
import {
  csrfMatches,
  csrfToken,
  newSessionToken,
  readCookie,
  readSessionToken,
  sessionCookie,
} from './session-cookie.ts';

describe('session cookie', () => {
  it('is HttpOnly and SameSite=Strict, and pinned to the host under TLS', () => {
    const token = newSessionToken();
    expect(sessionCookie(token, false)).toBe(`drydock=${token}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict`);
    expect(sessionCookie(token, true)).toMatch(/^__Host-drydock=.*; Secure$/);
  });

  it('is found among others, only under its own name and shape', () => {
    const token = newSessionToken();
    expect(readSessionToken(`a=1; drydock=${token}; b`, false)).toBe(token);
    expect(readSessionToken(`drydock=${token}`, true)).toBeUndefined();
    expect(readSessionToken('drydock=short', false)).toBeUndefined();
    expect(readSessionToken(`xdrydock=${token}`, false)).toBeUndefined();
    expect(readSessionToken(undefined, false)).toBeUndefined();
    expect(readCookie('drydock-lang=zh', 'drydock-lang')).toBe('zh');
  });
});

describe('CSRF token', () => {
  it('fits its own session only', () => {
    const token = newSessionToken();
    expect(csrfMatches(token, csrfToken(token))).toBe(true);
    expect(csrfMatches(newSessionToken(), csrfToken(token))).toBe(false);
    expect(csrfMatches(token, undefined)).toBe(false);
    expect(csrfMatches(token, token)).toBe(false);
  });
});
