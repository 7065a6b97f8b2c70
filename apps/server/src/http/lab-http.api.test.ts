// Who gets in: Host, Origin, session, CSRF and ticket, asked over real connections.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CSRF_HEADER, TICKET_PATH } from '@drydock/protocol/session.ts';
import { ask, LabClient, ticketFor, type Browser } from '../testing/lab-client.ts';
import { LabUnderTest } from '../testing/lab-under-test.ts';

const lab = new LabUnderTest({ DRYDOCK_ORIGINS: 'https://lab.example' });
let ann: Browser;
beforeAll(async () => {
  await lab.start();
  ann = await lab.visit();
});
afterAll(() => lab.end());

/** The status line of a websocket handshake with these headers. */
function handshake(headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(lab.address);
    const socket = connect(Number(port), hostname);
    const lines = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    };
    const text = Object.entries(lines).map(([name, value]) => `${name}: ${value}`);
    socket.write(`GET /socket/?EIO=4&transport=websocket HTTP/1.1\r\n${text.join('\r\n')}\r\n\r\n`);
    socket.once('data', (data) => {
      resolve(data.toString().split('\r\n')[0] ?? '');
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

describe('pages', () => {
  it('carry a strict policy with a nonce of their own, and set a strict cookie', async () => {
    const [one, two] = [await ask(lab.address, '/'), await ask(lab.address, '/')];
    const nonceOf = (policy: unknown): string =>
      /script-src 'self' 'nonce-([^']{20,})' 'strict-dynamic'/.exec(String(policy))?.[1] ?? '';
    const [first, second] = [one, two].map(({ headers }) => nonceOf(headers['content-security-policy']));
    expect(first).not.toBe('');
    expect(first).not.toBe(second);
    expect(one.headers['content-security-policy']).toMatch(
      /^default-src 'none'.*frame-ancestors 'none'; base-uri 'none'/,
    );
    expect(one.headers['set-cookie']?.[0]).toMatch(/^drydock=[\w-]{43}; Path=\/; .*HttpOnly; SameSite=Strict$/);
    expect(one.headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY' });
    expect(one.headers).toMatchObject({ 'cross-origin-opener-policy': 'same-origin', 'cache-control': 'no-store' });
  });

  it('keep the session a browser has', async () => {
    const { headers, text } = await ask(lab.address, '/', { headers: { Cookie: ann.cookie } });
    expect(headers['set-cookie']).toBeUndefined();
    expect(text).toContain(ann.csrf);
  });

  it('under TLS pin the cookie to the host', async () => {
    const { headers } = await ask(lab.address, '/', { headers: { Host: 'lab.example' } });
    expect(headers['set-cookie']?.[0]).toMatch(/^__Host-drydock=.*; Secure$/);
    expect(headers['strict-transport-security']).toBeDefined();
  });

  it('can’t be told who asks, nor which nonce', async () => {
    const { text } = await ask(lab.address, '/', { headers: { [CSRF_HEADER]: 'mine', 'x-drydock-learner': 'bob' } });
    expect(text).not.toContain('mine');
  });

  it('are only read', async () => {
    expect((await ask(lab.address, '/', { method: 'POST', body: 'x' })).status).toBe(405);
  });

  it.each(['evil.example', '127.0.0.1', 'localhost:1', 'lab.example.evil.example'])(
    'are refused to the host %s',
    async (host) => {
      const { status, text } = await ask(lab.address, '/', { headers: { Host: host } });
      expect(status).toBe(421);
      expect(text).toContain(`This lab is not "${host}"`);
      expect(text).toContain('DRYDOCK_ORIGINS');
    },
  );
});

describe('tickets', () => {
  const give = (headers: Record<string, string>, body = '') =>
    ask(lab.address, TICKET_PATH, { method: 'POST', headers, body });

  it('are given to a page of this lab', async () => {
    const headers = { Cookie: ann.cookie, Origin: lab.address, [CSRF_HEADER]: ann.csrf };
    expect((await give(headers)).status).toBe(200);
  });

  it.each([
    ['a foreign origin', () => ({ Origin: 'http://evil.example' }), 403],
    ['the origin of another port', () => ({ Origin: 'http://127.0.0.1:1' }), 403],
    ['no origin', () => ({ Origin: undefined }), 403],
    ['the origin "null"', () => ({ Origin: 'null' }), 403],
    ['no CSRF token', () => ({ [CSRF_HEADER]: undefined }), 403],
    ['another CSRF token', () => ({ [CSRF_HEADER]: 'x'.repeat(43) }), 403],
    ['no session', () => ({ Cookie: undefined }), 401],
    ['a made-up session', () => ({ Cookie: `drydock=${'A'.repeat(43)}` }), 401],
  ])('are refused with %s', async (_what, change, status) => {
    const headers = { Cookie: ann.cookie, Origin: lab.address, [CSRF_HEADER]: ann.csrf, ...change() };
    const sent = Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined);
    const answer = await give(Object.fromEntries(sent));
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(/^No ticket: .+\.\n$/);
  });

  it('come with no body, and only by POST', async () => {
    const headers = { Cookie: ann.cookie, Origin: lab.address, [CSRF_HEADER]: ann.csrf };
    expect((await give(headers, 'x'.repeat(100_000))).status).toBe(413);
    expect((await ask(lab.address, TICKET_PATH, { headers })).status).toBe(405);
  });
});

describe('sockets', () => {
  const host = (): string => new URL(lab.address).host;

  it.each([
    ['a foreign origin', () => ({ Origin: 'http://evil.example' }), 403],
    ['no origin', () => ({}), 403],
    ['the origin "null"', () => ({ Origin: 'null' }), 403],
    ['no session', () => ({ Origin: lab.address, Cookie: '' }), 403],
    ['a foreign host', () => ({ Origin: lab.address, Host: 'evil.example' }), 421],
    ['a foreign host of the same origin', () => ({ Origin: 'http://evil.example', Host: 'evil.example' }), 421],
  ])('are refused with %s', async (_what, change, status) => {
    const headers = { Host: host(), Cookie: ann.cookie, ...change() };
    expect(await handshake(headers)).toContain(` ${status} `);
  });

  it('open with the right headers', async () => {
    expect(await handshake({ Host: host(), Cookie: ann.cookie, Origin: lab.address })).toContain(' 101 ');
  });

  it('take each ticket once, and only with its own session', async () => {
    const ticket = await ticketFor(ann);
    (await LabClient.connect(ann, { ticket })).close();
    await expect(LabClient.connect(ann, { ticket })).rejects.toMatchObject({ data: { status: 403 } });
    const bob = await lab.visit();
    await expect(LabClient.connect(bob, { ticket: await ticketFor(ann) })).rejects.toThrow(
      /ticket was used or is too old/,
    );
    await expect(LabClient.connect(ann, { ticket: '' })).rejects.toThrow(/ticket/);
  });

  it('exist on their own path only', async () => {
    const { hostname, port } = new URL(lab.address);
    const status = await new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname);
      socket.write(
        `GET /other HTTP/1.1\r\nHost: ${host()}\r\nOrigin: ${lab.address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      );
      socket.once('data', (data) => resolve(data.toString()));
    });
    expect(status).toContain(' 404 ');
  });
});

describe('health', () => {
  it('says whether the engine is there', async () => {
    const absent = JSON.parse((await ask(lab.address, '/healthz')).text);
    expect(absent).toMatchObject({ ok: true, engine: null, message: expect.stringContaining('npm start') });
    await lab.engine.listen();
    expect(JSON.parse((await ask(lab.address, '/healthz')).text).engine).toMatchObject({ version: '0.1.0' });
  });
});
