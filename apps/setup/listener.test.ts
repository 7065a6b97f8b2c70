import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { findListener, listeningInodes } from './listener.mjs';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0BB8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:0BB8 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
`;

it('reads who listens from the table, not who is connected', () => {
  expect(listeningInodes(TABLE, 3000)).toEqual(['4711']);
  expect(listeningInodes(TABLE, 22)).toEqual(['4713']);
  expect(listeningInodes(TABLE, 8080)).toEqual([]);
});

it('finds this process by a port it listens on', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  try {
    expect(findListener(port)?.pid).toBe(process.pid);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(findListener(port)).toBeNull();
});
