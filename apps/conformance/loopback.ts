// An engine's unix socket on a TCP port of 127.0.0.1, for suites that know nothing else. Passes bytes on; only the first request's line
// may be changed.
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Loopback {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens on a free port. `requestLine` sees the first line of each connection. */
export async function listenOnLoopback(socketPath: string, requestLine = (line: string) => line): Promise<Loopback> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: socketPath, allowHalfOpen: true });
    for (const socket of [client, engine]) {
      open.add(socket);
      socket.on('close', () => open.delete(socket));
    }
    client.on('error', () => engine.destroy());
    engine.on('error', () => client.destroy());
    client.once('data', (first: Buffer) => {
      client.pause();
      const end = first.indexOf('\r\n');
      const line = first.subarray(0, Math.max(end, 0)).toString('latin1');
      engine.write(Buffer.concat([Buffer.from(requestLine(line), 'latin1'), first.subarray(Math.max(end, 0))]));
      client.pipe(engine);
    });
    engine.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
