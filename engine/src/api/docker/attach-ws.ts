// GET /containers/ID/attach/ws: attach over a WebSocket, for pages in a browser. Output is never framed: both streams are one.
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Upgrade } from '../upgrades.ts';
import { attachAsked } from './attach.ts';
import { carry } from './hijack.ts';
import type { StreamsBackend } from './streams-backend.ts';
import { withoutVersion } from './version-prefix.ts';

const PATH = /^\/containers\/([^/]+)\/attach\/ws$/;
/** A message is what was typed or pasted at once. */
const MOST_MESSAGE_BYTES = 2 ** 20;

export function attachWebSocketUpgrade(backend: StreamsBackend): Upgrade {
  const server = new WebSocketServer({ noServer: true, maxPayload: MOST_MESSAGE_BYTES });
  return (request, url) => {
    const id = PATH.exec(withoutVersion(url.pathname))?.[1];
    if (id === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') return null;
    return async (socket, head) => {
      const session = backend.attach(id, attachAsked(Object.fromEntries(url.searchParams)));
      socket.once('close', () => session.leave()); // also when its handshake is refused
      server.handleUpgrade(request, socket, head, (webSocket) => {
        const stream = createWebSocketStream(webSocket);
        stream.on('error', () => stream.destroy());
        void carry(stream, session, { isFramed: false, unread: () => 0 });
      });
    };
  };
}
