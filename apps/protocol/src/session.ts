// How a page becomes a socket: the names that browser and lab server share. No secret stands here.
//   1. The server hands each rendered page its CSRF token in the request header CSRF_HEADER; the layout writes it into
//      <meta name="drydock-csrf" content="…">.
//   2. Before every connection (and re-connection) the browser POSTs to TICKET_PATH with that token in CSRF_HEADER and
//      gets `{ticket}`: good once, for 30 s.
//   3. io({path: SOCKET_PATH, transports: ['websocket'], auth: (send) => void newTicket().then((ticket) => send({ticket}))})

export { LEARNER_HEADER } from './pages.ts';
export const TICKET_PATH = '/api/ticket';
export const SOCKET_PATH = '/socket';

/** Set by the server on the request it hands to the pages; whatever a browser sends under these names is overwritten. */
export const NONCE_HEADER = 'x-nonce';
/** Towards the pages: the token. From the browser, on POST TICKET_PATH: the same token. */
export const CSRF_HEADER = 'x-drydock-csrf';

/** "en" or "zh"; written by the page, read by the server for its sentences. Absent: Accept-Language decides. */
export const LANGUAGE_COOKIE = 'drydock-lang';

export interface TicketAnswer {
  ticket: string;
}

/** The largest number of terminals a learner may have open at once. */
export const MAX_TERMINALS = 8;
