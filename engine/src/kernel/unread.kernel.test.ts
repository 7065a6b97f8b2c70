import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { unreadBytes } from './unread.ts';

const fdOf = (socket: Socket) => (socket as unknown as { _handle: { fd: number } })._handle.fd;

test('what the peer has not read is counted, and nothing once it has', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'drydock-unread-'));
  const server = createServer().listen(join(directory, 'socket'));
  const peer = connect(join(directory, 'socket'));
  const [socket] = (await once(server, 'connection')) as [Socket];
  try {
    expect(unreadBytes(fdOf(socket))).toBe(0);
    socket.write('hello');
    expect(unreadBytes(fdOf(socket))).toBeGreaterThan(0);
    await once(peer, 'data');
    expect(unreadBytes(fdOf(socket))).toBe(0);
    expect(unreadBytes(-1)).toBe(0);
  } finally {
    peer.destroy();
    socket.destroy();
    server.close();
    rmSync(directory, { recursive: true });
  }
});
