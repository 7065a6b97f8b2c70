// The one port: who may ask (Host, Origin, session, CSRF), what is answered here (health, tickets), what goes to Next.
// Sockets are refused or let through here too; socket.io only ever sees requests that passed.
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { LEARNER_HEADER } from '@drydock/protocol/pages.ts';
import { CSRF_HEADER, NONCE_HEADER, SOCKET_PATH, TICKET_PATH } from '@drydock/protocol/session.ts';
import type { OriginList } from './origin.ts';
import { FILE_POLICY, pagePolicy, setCommonHeaders } from './security-headers.ts';
import { csrfMatches, csrfToken, readSessionToken, sessionCookie } from './session-cookie.ts';
import type { Tickets } from './tickets.ts';
import type { WebApp } from './web-app.ts';

export interface Visitors {
  /** Whose session this is, or null. */
  learnerOf(sessionToken: string): Promise<string | null>;
  /** Solo mode: every browser is the same learner; answers the new session's secret and whose it is. */
  welcome(): Promise<{ token: string; learner: string }>;
}

/** The answer of /healthz. `engine`: what it says of itself, or null with the reason. */
export interface Health {
  ok: boolean;
  engine: { version: string; kernel: string; cgroup: string } | null;
  message?: string;
}

export interface LabHttpParts {
  development: boolean;
  log: Logger;
  /** Known once the port is. */
  origins: () => OriginList;
  visitors: Visitors;
  tickets: Tickets;
  /** A learner whom the browser has proved to be loads this page: what it will need can be made meanwhile. */
  expect: (learner: string, path: string) => void;
  web: WebApp;
  health: () => Promise<Health>;
  /** Takes a socket whose Host, Origin and session were checked. */
  socket: (request: IncomingMessage, socket: Duplex, head: Buffer) => void;
}

/** The server, not yet listening. */
export function createLabServer(parts: LabHttpParts): Server {
  const server = createServer((request, response) => {
    answer(parts, request, response).catch((error: unknown) => {
      parts.log.error({ error, url: request.url }, 'request failed');
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'The lab could not answer: an error inside it. Its log has the reason.');
    });
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(parts, request, socket, head).catch((error: unknown) => {
      parts.log.error({ error, url: request.url }, 'upgrade failed');
      refuseUpgrade(socket, 500, 'Internal Server Error');
    });
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  return server;
}

async function answer(parts: LabHttpParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const origins = parts.origins();
  const { host } = request.headers;
  const secure = origins.isSecure(host);
  setCommonHeaders(response, secure);
  response.setHeader('Content-Security-Policy', FILE_POLICY);
  if (!origins.hostAllowed(host))
    return refuse(
      response,
      421,
      `This lab is not "${host ?? ''}": open ${origins.origins[0]}. If you reach it through a tunnel or a proxy, start it with DRYDOCK_ORIGINS set to the address in your browser.`,
    );
  const path = pathOf(request);
  if (path === '/healthz') return sendJson(response, await parts.health());
  if (path === TICKET_PATH) return giveTicket(parts, request, response, secure);
  if (request.method !== 'GET' && request.method !== 'HEAD' && !(parts.development && path.startsWith('/__nextjs')))
    return refuse(response, 405, 'Pages are only read here; everything else goes through the socket.');
  if (!isFile(path)) await preparePage(parts, request, response, secure);
  await parts.web.render(request, response);
}

/** A page: its session, its nonce, and what the page may know, as headers on the request that Next sees. */
async function preparePage(
  parts: LabHttpParts,
  request: IncomingMessage,
  response: ServerResponse,
  secure: boolean,
): Promise<void> {
  let token = readSessionToken(request.headers.cookie, secure);
  let learner = token === undefined ? null : await parts.visitors.learnerOf(token);
  if (token === undefined || learner === null) {
    ({ token, learner } = await parts.visitors.welcome());
    response.setHeader('Set-Cookie', sessionCookie(token, secure));
    // Only with a session, which a foreign page can't send (SameSite=Strict): reading a page starts something.
  } else if (request.method === 'GET') parts.expect(learner, pathOf(request));
  const nonce = randomBytes(16).toString('base64');
  const policy = pagePolicy(nonce, parts.development);
  response.setHeader('Content-Security-Policy', policy);
  response.setHeader('Cache-Control', 'no-store');
  request.headers['content-security-policy'] = policy;
  request.headers[NONCE_HEADER] = nonce;
  request.headers[LEARNER_HEADER] = learner;
  request.headers[CSRF_HEADER] = csrfToken(token);
}

async function giveTicket(
  parts: LabHttpParts,
  request: IncomingMessage,
  response: ServerResponse,
  secure: boolean,
): Promise<void> {
  if (request.method !== 'POST') return refuse(response, 405, 'A ticket is asked for with POST.');
  const { origin, host, cookie } = request.headers;
  if (!parts.origins().originAllowed(origin, host))
    return refuse(response, 403, 'No ticket: the request does not come from a page of this lab.');
  if (Number(request.headers['content-length'] ?? 0) > 0 || request.headers['transfer-encoding'] !== undefined)
    return refuse(response, 413, 'No ticket: the request carries a body, and none is wanted.');
  const token = readSessionToken(cookie, secure);
  const learner = token === undefined ? null : await parts.visitors.learnerOf(token);
  if (token === undefined || learner === null)
    return refuse(response, 401, 'No ticket: this browser has no session. Reload the page.');
  const csrf = request.headers[CSRF_HEADER];
  if (!csrfMatches(token, typeof csrf === 'string' ? csrf : undefined))
    return refuse(response, 403, 'No ticket: the page is of an older session. Reload the page.');
  response.setHeader('Cache-Control', 'no-store');
  sendJson(response, { ticket: parts.tickets.issue(learner, token) });
}

async function upgrade(parts: LabHttpParts, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  const origins = parts.origins();
  const { host, origin, cookie } = request.headers;
  if (!origins.hostAllowed(host)) return refuseUpgrade(socket, 421, 'Misdirected Request');
  if (!origins.originAllowed(origin, host)) return refuseUpgrade(socket, 403, 'Forbidden');
  const path = pathOf(request);
  if (path === SOCKET_PATH || path === `${SOCKET_PATH}/`) {
    const token = readSessionToken(cookie, origins.isSecure(host));
    const learner = token === undefined ? null : await parts.visitors.learnerOf(token);
    if (learner === null) return refuseUpgrade(socket, 403, 'Forbidden');
    return parts.socket(request, socket, head);
  }
  if (parts.development && path.startsWith('/_next/')) return parts.web.upgrade(request, socket, head);
  refuseUpgrade(socket, 404, 'Not Found');
}

/** The path without its query, never decoded: what Next will route is what was judged. */
const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/';

/** Scripts, styles, fonts, icons: no session, no nonce, and they may be cached. */
const isFile = (path: string): boolean => path.startsWith('/_next/') || /\.(ico|svg|png|webmanifest|txt)$/.test(path);

function sendJson(response: ServerResponse, body: unknown): void {
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, sentence: string): void {
  response.statusCode = status;
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  // What the client still sends of a refused request is not read.
  response.setHeader('Connection', 'close');
  response.end(`${sentence}\n`);
}

function refuseUpgrade(socket: Duplex, status: number, reason: string): void {
  socket.end(`HTTP/1.1 ${status} ${reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
