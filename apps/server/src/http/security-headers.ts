// The headers every answer carries (security.md 11). Pages get a nonce of their own; files get a policy without scripts.
import type { ServerResponse } from 'node:http';

/**
 * The content security policy of a page. Next reads the nonce from the *request's* header of the same name and puts it
 * on every script it writes. React's development build needs eval for its stacks; production has none.
 */
export function pagePolicy(nonce: string, development: boolean): string {
  return [
    "default-src 'none'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic'${development ? " 'unsafe-eval'" : ''}`,
    // Monaco writes style elements and attributes: a nonce cannot cover those.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join('; ');
}

/** For scripts, styles, fonts: a worker lives under the policy of its own file, and may load its chunks from here. */
export const FILE_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'";

/** Sets everything but the policy. `secure`: reached under TLS. */
export function setCommonHeaders(response: ServerResponse, secure: boolean): void {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('X-Frame-Options', 'DENY');
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cross-Origin-Opener-Policy', 'same-origin');
  response.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  response.setHeader('Permissions-Policy', 'camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=()');
  if (secure) response.setHeader('Strict-Transport-Security', 'max-age=31536000');
}
