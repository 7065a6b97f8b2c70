// The hijacked connection of a terminal: after 101 the socket carries the terminal's bytes both ways.
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Upgrade } from '../upgrades.ts';
import { parse } from './routes.ts';
import { ROUTES } from './route-table.ts';
import type { LabBackend, TerminalStream } from './schemas.ts';

const PATH = /^\/lab\/sandboxes\/([^/]+)\/terminals\/([^/]+)\/stream$/;

async function pump(socket: Duplex, head: Buffer, { offset, duplex }: TerminalStream): Promise<void> {
  const answer = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: drydock-terminal\r\nDrydock-Offset: ${offset}`;
  socket.write(`${answer}\r\n\r\n`);
  if (head.length > 0) socket.unshift(head);
  // Output ends the socket. The client's end, after what it typed has arrived, ends only this stream, not the terminal:
  // a quiet terminal would else keep the connection of a client that is long gone.
  const input = pipeline(socket, duplex, { end: false }).then(
    () => void duplex.end(() => duplex.destroy()),
    () => undefined,
  );
  await pipeline(duplex, socket).catch(() => undefined);
  socket.destroy();
  await input;
}

/** Answers `Upgrade: drydock-terminal` on the route of a terminal's stream. */
export function terminalUpgrade(lab: LabBackend): Upgrade {
  return (request, url) => {
    const match = PATH.exec(url.pathname);
    if (!match || request.headers.upgrade !== 'drydock-terminal') return null;
    return async (socket, head) => {
      const params = parse('path', ROUTES.streamTerminal.params, { id: match[1], terminal: match[2] });
      const query = parse('query', ROUTES.streamTerminal.query, Object.fromEntries(url.searchParams));
      await pump(socket, head, await lab.attachTerminal(params.id, params.terminal, query.from));
    };
  };
}
