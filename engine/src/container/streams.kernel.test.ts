// What streams, with real processes and bare sockets: attach, logs and exec as clients see them, byte by byte.
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import type { Backends } from '../api/http.ts';
import { engineApp } from '../api/http.ts';
import { linux } from '../kernel/linux.ts';
import { freshLaunch } from '../testing/launch.ts';
import { StreamingContainer, type StreamingOptions } from '../testing/streaming-container.ts';
import { Execs } from './execs.ts';
import { streamsBackend } from './streams.ts';

const undo: (() => Promise<void> | void)[] = [];
beforeAll(() => freshLaunch());
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

interface World {
  readonly container: StreamingContainer;
  readonly execs: Execs;
  readonly socketPath: string;
  /** The server's ends. */
  readonly connections: ReadonlySet<Socket>;
}

async function world(options: StreamingOptions = {}): Promise<World> {
  const container = new StreamingContainer(options);
  undo.push(() => container.end());
  const execs = new Execs({
    containers: container,
    kernel: linux,
    processOf: (_, { Cmd, Tty }) =>
      Promise.resolve({ args: Cmd, terminal: Tty, env: [], cwd: '/', user: { uid: 0, gid: 0 } }),
  });
  undo.push(() => execs.close());
  const streams = streamsBackend({ containers: container, events: container.events, execs, cgroupVersion: '1' });
  // What is not called here is not there.
  const ping = () => ({ version: '0', kernel: '0', cgroup: 'v2' });
  const backends = { docker: { streams }, lab: {}, ping } as unknown as Backends;
  const app = engineApp(pino({ level: 'silent' }), backends);
  const connections = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const socketPath = join(container.directory, 'engine.sock');
  await app.listen({ path: socketPath });
  undo.push(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  return { container, execs, socketPath, connections };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await pause(2);
}

/** A client's end of a connection: everything that came, and in which pieces. */
class Client {
  readonly socket: Socket;
  readonly pieces: Buffer[] = [];
  ended = false;

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true });
    this.socket.on('data', (piece: Buffer) => this.pieces.push(piece));
    this.socket.on('end', () => (this.ended = true));
    this.socket.on('error', () => (this.ended = true));
    this.socket.on('close', () => (this.ended = true));
    undo.push(() => void this.socket.destroy());
  }

  get bytes(): Buffer {
    return Buffer.concat(this.pieces);
  }
  get head(): string {
    return this.bytes.toString('latin1').split('\r\n\r\n', 1)[0] ?? '';
  }
  get body(): string {
    return this.bytes.subarray(this.head.length + 4).toString('latin1');
  }
  async post(path: string, head: string, body = ''): Promise<this> {
    this.socket.write(`POST ${path} HTTP/1.1\r\nHost: docker\r\n${head}\r\n${body}`);
    await until(() => this.bytes.includes('\r\n\r\n') || this.ended);
    return this;
  }
  async over(): Promise<this> {
    await until(() => this.ended);
    return this;
  }
}

const UPGRADE = 'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n';
const attachTo = (world: World, query: string, head = UPGRADE) =>
  new Client(world.socketPath).post(`/v1.50/containers/streaming/attach?${query}`, head);
const frame = (stream: number, text: string) =>
  `${String.fromCharCode(stream)}\0\0\0\0\0${String.fromCharCode(text.length >> 8, text.length & 255)}${text}`;

/** What the frames hold. */
function unframed(body: string): string {
  const bytes = Buffer.from(body, 'latin1');
  let text = '';
  for (let at = 0; at < bytes.length; at += 8 + bytes.readUInt32BE(at + 4))
    text += bytes.toString('latin1', at + 8, at + 8 + bytes.readUInt32BE(at + 4));
  return text;
}

interface Answer {
  status: number;
  type: string | undefined;
  body: string;
}
function call(world: World, method: string, path: string, body?: unknown): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': text.length };
    const asked = request({ socketPath: world.socketPath, method, path, headers, agent: false }, (answer) => {
      let said = '';
      answer.setEncoding('latin1').on('data', (part: string) => (said += part));
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, type: answer.headers['content-type'], body: said }),
      );
      answer.on('error', reject);
    });
    asked.on('error', reject);
    asked.end(text);
  });
}
const json = (answer: Answer) => JSON.parse(answer.body) as Record<string, unknown>;

test('who attaches before the start has everything from the first byte on, framed, and the end', async () => {
  const here = await world();
  const client = await attachTo(here, 'stdout=1&stderr=1&stream=1');
  expect(client.head.split('\r\n')).toEqual([
    'HTTP/1.1 101 UPGRADED',
    'Content-Type: application/vnd.docker.multiplexed-stream',
    'Connection: Upgrade',
    'Upgrade: tcp',
  ]);
  expect(client.pieces.length).toBe(1);
  client.socket.end(); // as the CLI does without -i: no disconnect
  await pause(20);
  expect(client.ended).toBe(false);
  await here.container.start('echo out; echo err >&2; exit 3');
  await client.over();
  // Two pipes: which of both is read first is not said.
  expect([frame(1, 'out\n') + frame(2, 'err\n'), frame(2, 'err\n') + frame(1, 'out\n')]).toContain(client.body);
});

test('older clients, terminals and clients without an upgrade are told of a raw stream', async () => {
  const here = await world();
  const old = await new Client(here.socketPath).post('/v1.41/containers/streaming/attach?stream=1&stdout=1', UPGRADE);
  expect(old.head).toContain('Content-Type: application/vnd.docker.raw-stream');
  const plain = await attachTo(here, 'stream=1&stdout=1', 'Content-Length: 0\r\n');
  expect(plain.head).toBe('HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream');
  await here.container.start('echo hi');
  expect((await plain.over()).body).toBe(frame(1, 'hi\n'));
  expect((await old.over()).body).toBe(frame(1, 'hi\n'));
});

test('input reaches the process, its end closes stdin once, and what was chosen comes back', async () => {
  const here = await world({ config: { StdinOnce: true } });
  const client = await attachTo(here, 'stream=1&stdin=1&stdout=1');
  client.socket.end('typed before the start\n');
  await here.container.start('cat; echo end; echo hidden >&2');
  const { body } = await client.over();
  expect(unframed(body)).toBe('typed before the start\nend\n');
});

test('input without an upgrade arrives, too', async () => {
  const here = await world({ config: { StdinOnce: true } });
  const client = await attachTo(here, 'stream=1&stdin=1&stdout=1', 'Content-Length: 0\r\n');
  client.socket.write('GET / HTTP/1.1\r\n\r\n'); // whatever it is, it is input
  client.socket.end('more\n');
  await here.container.start('cat');
  const { body } = await client.over();
  expect(unframed(body)).toBe('GET / HTTP/1.1\r\n\r\nmore\n');
});

test('a terminal is raw, several share it, and the keys detach one of them', async () => {
  const here = await world({ config: { Tty: true } });
  const first = await attachTo(here, 'stream=1&stdin=1&stdout=1&detachKeys=ctrl-a,b');
  await here.container.start('stty -echo; while read x; do echo "got $x"; done');
  const second = await attachTo(here, 'stream=1&stdin=1&stdout=1');
  expect(first.head).toContain('raw-stream');
  await pause(50);
  first.socket.write('one\r');
  await until(() => first.body.includes('got one\r\n') && second.body.includes('got one\r\n'));
  first.socket.write('\x01');
  first.socket.write('b');
  await first.over();
  expect(here.container.events.recent().map(({ Action }) => Action)).toEqual(['attach', 'attach', 'detach']);
  second.socket.write('two\r');
  await until(() => second.body.includes('got two\r\n'));
  expect(first.body).not.toContain('two');
  const resized = await call(here, 'POST', '/containers/streaming/resize?h=40&w=100');
  expect(resized.status).toBe(200);
  await until(() => here.container.running?.kept.size.cols === 100);
});

test('a WebSocket carries both streams and the input, and is closed at the end', async () => {
  const here = await world({ config: { StdinOnce: true } });
  const path = '/v1.50/containers/streaming/attach/ws?stream=1&stdin=1&stdout=1&stderr=1';
  const webSocket = new WebSocket(`ws+unix:${here.socketPath}:${path}`);
  undo.push(() => webSocket.terminate());
  let said = '';
  let closed = false;
  webSocket.on('message', (data: Buffer) => (said += data.toString()));
  webSocket.on('close', () => (closed = true));
  await once(webSocket, 'open');
  await here.container.start('read x; echo got $x; read y; echo and $y >&2');
  webSocket.send('one\n');
  await until(() => said === 'got one\n');
  webSocket.send(Buffer.from('two\n'));
  await until(() => closed);
  expect(said).toBe('got one\nand two\n');
  const refused = new WebSocket(`ws+unix:${here.socketPath}:/containers/nobody/attach/ws?stream=1`);
  const [error] = (await once(refused, 'error')) as [Error];
  expect(error.message).toContain('404');
});

test('logs=1 replays earlier runs, then goes on; without stream it only replays', async () => {
  const here = await world();
  await (
    await here.container.start('echo one')
  ).exit;
  await until(() => here.container.running === null);
  const replayed = await (await attachTo(here, 'logs=1&stdout=1')).over();
  expect(replayed.body).toBe(frame(1, 'one\n'));
  const client = await attachTo(here, 'logs=1&stream=1&stdout=1');
  await here.container.start('echo two');
  expect((await client.over()).body).toBe(frame(1, 'one\n') + frame(1, 'two\n'));
});

test('a client that never reads holds nobody up, and takes no memory', async () => {
  const here = await world();
  const large = Buffer.alloc(60_000_000, 'a line of a large file\n');
  writeFileSync(join(here.container.rootDirectory, 'large'), large);
  const deaf = new Client(here.socketPath);
  deaf.socket.pause();
  deaf.socket.write(`POST /containers/streaming/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\n${UPGRADE}\r\n`);
  const client = await attachTo(here, 'stream=1&stdout=1');
  await until(() => here.container.events.recent().length === 2);
  let count = 0;
  client.socket.removeAllListeners('data');
  client.socket.on('data', (piece: Buffer) => (count += piece.length));
  await here.container.start('cat /large');
  await client.over();
  expect(count).toBeGreaterThan(large.length);
  for (const connection of here.connections) expect(connection.writableLength).toBeLessThan(200_000);
});

test('errors before the connection is taken are answers like any other', async () => {
  const here = await world();
  const client = await new Client(here.socketPath).post('/v1.50/containers/nobody/attach?stream=1', UPGRADE);
  await client.over();
  expect(client.head).toMatch(/^HTTP\/1.1 404 Not Found\r\nContent-Type: application\/json\r\n/);
  expect(JSON.parse(client.body)).toMatchObject({ message: 'No such container: nobody' });
  const keys = await (await attachTo(here, 'stream=1&detachKeys=nonsense')).over();
  expect(keys.head).toContain('400 Bad Request');
  expect(keys.body).toContain('Invalid detach keys (nonsense) provided');
  here.container.status = 'paused';
  expect((await (await attachTo(here, 'stream=1')).over()).head).toContain('409 Conflict');
  const other = await new Client(here.socketPath).post('/v1.50/info', UPGRADE);
  expect((await other.over()).head).toContain('404 Not Found');
});

const EXEC_CONFIG = {
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  DetachKeys: '',
  Env: [],
  User: '',
  WorkingDir: '',
  Privileged: false,
  ConsoleSize: null,
};
const EXEC = { AttachStdin: true, AttachStdout: true, AttachStderr: true, Cmd: ['sh', '-c', ''] };
async function makeExec(here: World, script: string, more: object = {}): Promise<string> {
  const body = { ...EXEC, Cmd: ['sh', '-c', script], ...more };
  const made = await call(here, 'POST', '/v1.50/containers/streaming/exec', body);
  expect(made.status).toBe(201);
  return json(made)['Id'] as string;
}
async function startExec(here: World, id: string, body = '{"Detach":false,"Tty":false}', rest = ''): Promise<Client> {
  const head = `Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
  return new Client(here.socketPath).post(`/v1.50/exec/${id}/start`, head, body + rest);
}
const inspect = async (here: World, id: string) => json(await call(here, 'GET', `/exec/${id}/json`));

test('an exec takes exactly its body off the stream; its exit code is known when the stream ends', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const id = await makeExec(here, 'cat; exit 7');
  expect(await inspect(here, id)).toMatchObject({ Running: false, ExitCode: null, Pid: 0 });
  expect(here.execs.idsOf(here.container.id)).toEqual([id]);
  const client = await startExec(here, id, undefined, 'input with the body\n');
  client.socket.end();
  await client.over();
  expect(client.head).toContain('101 UPGRADED');
  expect(client.pieces[0]?.toString('latin1').endsWith('\r\n\r\n')).toBe(true);
  expect(client.body).toBe(frame(1, 'input with the body\n'));
  const seen = await inspect(here, id);
  expect(seen).toMatchObject({ Running: false, ExitCode: 7, ContainerID: here.container.id, OpenStdin: true });
  expect(seen['ProcessConfig']).toEqual({
    tty: false,
    entrypoint: 'sh',
    arguments: ['-c', 'cat; exit 7'],
    privileged: false,
  });
  expect(seen['Pid']).toBeGreaterThan(0);
  expect(here.execs.idsOf(here.container.id)).toEqual([]);
  expect(here.container.events.recent().map(({ Action }) => Action)).toEqual([
    'exec_create: sh -c cat; exit 7',
    'exec_start: sh -c cat; exit 7',
    'exec_die',
  ]);
  expect(here.container.events.recent()[2]?.Actor.Attributes).toMatchObject({ exitCode: '7', execID: id, of: 'test' });
  expect((await (await startExec(here, id)).over()).body).toContain('has already run');
});

test('a body that comes in pieces is waited for', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const id = await makeExec(here, 'echo done');
  const client = new Client(here.socketPath);
  const head = 'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 29\r\n';
  client.socket.write(`POST /exec/${id}/start HTTP/1.1\r\nHost: d\r\n${head}\r\n{"Detach":fal`);
  await pause(30);
  expect(client.bytes.length).toBe(0);
  client.socket.write('se,"Tty":false} ');
  expect((await client.over()).body).toBe(frame(1, 'done\n'));
});

test('what keeps an exec from starting is told in the stream, and by its exit code', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const id = await makeExec(here, '', { Cmd: ['nothing'] });
  const client = await (await startExec(here, id)).over();
  expect(client.head).toContain('101 UPGRADED');
  expect(client.body.charCodeAt(0)).toBe(1);
  expect(unframed(client.body)).toMatch(/^OCI runtime exec failed: .*executable file not found\r\n$/);
  expect(await inspect(here, id)).toMatchObject({ Running: false, ExitCode: 126 });
  const detached = await makeExec(here, '', { Cmd: ['nothing'] });
  const answer = await call(here, 'POST', `/exec/${detached}/start`, { Detach: true });
  expect([answer.status, json(answer)['message']]).toEqual([400, expect.stringContaining('OCI runtime exec failed')]);
});

test('an exec has conflicts and absences in Docker’s words', async () => {
  const here = await world();
  const refused = await call(here, 'POST', '/containers/streaming/exec', EXEC);
  expect([refused.status, json(refused)['message']]).toEqual([409, `container ${here.container.id} is not running`]);
  await here.container.start('sleep 1000');
  const empty = await call(here, 'POST', '/containers/streaming/exec', { Cmd: null });
  expect([empty.status, json(empty)['message']]).toEqual([400, 'No exec command specified']);
  const missing = await call(here, 'GET', '/exec/abc/json');
  expect([missing.status, json(missing)['message']]).toEqual([404, 'No such exec instance: abc']);
  expect((await (await startExec(here, 'abc')).over()).head).toContain('404 Not Found');
  const id = await makeExec(here, 'true');
  here.container.status = 'paused';
  expect((await (await startExec(here, id)).over()).body).toContain('is paused, unpause the container before exec');
});

test('a detached exec runs by itself, whatever it writes', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const id = await makeExec(here, 'yes | head -c 30000000; exit 4');
  expect((await call(here, 'POST', `/exec/${id}/start`, { Detach: true })).status).toBe(200);
  for (;;) {
    const { Running, ExitCode } = await inspect(here, id);
    if (!Running) {
      expect(ExitCode).toBe(4);
      return;
    }
    await pause(20);
  }
});

test('an exec whose client leaves goes on; one with a slow client waits for it and loses nothing', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const left = await makeExec(here, 'echo hi; yes | head -c 10000000; exit 5');
  const client = await startExec(here, left);
  await until(() => client.body.length > 8);
  client.socket.destroy();
  const slow = await makeExec(here, 'yes | head -c 10000000');
  const reader = await startExec(here, slow);
  let count = reader.body.length;
  reader.socket.removeAllListeners('data');
  reader.socket.on('data', (piece: Buffer) => {
    count += piece.length;
    reader.socket.pause();
    setTimeout(() => reader.socket.resume(), 1);
  });
  await reader.over();
  expect(count).toBeGreaterThan(10_000_000);
  await until(() => here.container.events.recent().filter(({ Action }) => Action === 'exec_die').length === 2);
  expect(await inspect(here, left)).toMatchObject({ ExitCode: 5 });
});

test('many execs leave few files, and are all known', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const ids: string[] = [];
  for (let count = 0; count < 210; count++) {
    const id = here.execs.create('streaming', { ...EXEC_CONFIG, Cmd: ['sh', '-c', 'exit 3'] });
    ids.push(id);
    await here.execs.startDetached(id, null);
  }
  await until(() => ids.every((id) => here.execs.inspect(id).exitCode === 3)); // all are known as long as this daemon lives
  await pause(10);
  const left = readdirSync(here.container.runDirectory).filter((name) => name.startsWith('exec-'));
  expect(left.length).toBe(200);
});

test('execs are found again by the next daemon: running, ended meanwhile, ended before', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const [running, ending, ended] = [
    await makeExec(here, 'read x; exit 3', { Tty: true }),
    await makeExec(here, 'sleep 0.3; exit 4', { AttachStdin: false }),
    await makeExec(here, 'exit 5'),
  ];
  await (await startExec(here, ended)).over();
  for (const id of [running, ending]) await call(here, 'POST', `/exec/${id}/start`, { Detach: true });
  await until(() => here.container.events.recent().filter(({ Action }) => Action === 'exec_die').length === 1);
  await pause(10);
  here.execs.close();
  await pause(500);
  const next = new Execs({ containers: here.container, kernel: linux, processOf: () => Promise.reject(new Error()) });
  undo.push(() => next.close());
  await next.recover();
  expect(next.inspect(running)).toMatchObject({ running: true, exitCode: null });
  // In no control group here that the container's end would empty.
  undo.push(() => void process.kill(next.inspect(running).pid, 'SIGKILL'));
  await until(() => next.inspect(ending).exitCode !== null);
  expect(next.inspect(ending)).toMatchObject({ running: false, exitCode: 4 });
  expect(next.inspect(ended)).toMatchObject({ running: false, exitCode: 5 });
  expect(next.inspect(running).config.Tty).toBe(true);
});

const lines = (answer: Answer) => unframed(answer.body);

test('logs are lines: all, the last, those of a time, of a stream, with times', async () => {
  const here = await world();
  const script =
    'i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done; echo err >&2; sleep 0.05; echo -n last';
  await (
    await here.container.start(script)
  ).exit;
  await until(() => here.container.running === null);
  const logs = (query: string) => call(here, 'GET', `/v1.50/containers/streaming/logs?${query}`);
  const all = await logs('stdout=1');
  expect(all.type).toBe('application/vnd.docker.multiplexed-stream');
  expect(lines(all)).toBe(`${Array.from({ length: 5000 }, (_, at) => `line ${at}\n`).join('')}last`);
  expect(lines(await logs('stdout=1&tail=3'))).toBe('line 4998\nline 4999\nlast');
  expect(lines(await logs('stdout=1&tail=0'))).toBe('');
  expect(lines(await logs('stderr=1&tail=10'))).toBe('err\n');
  expect(lines(await logs('stdout=1&stderr=1&tail=1'))).toBe('last');
  const [stamped = ''] = lines(await logs('stdout=1&timestamps=1&tail=1')).split(' last');
  expect(stamped).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/);
  expect(lines(await logs(`stdout=1&since=${stamped}`))).toBe('last');
  expect(lines(await logs(`stdout=1&until=${stamped}&tail=2`))).toBe('line 4999\nlast');
  expect(lines(await logs('stdout=1&since=1h&until=30m'))).toBe('');
  expect(await logs('follow=1')).toMatchObject({ status: 400, body: expect.stringContaining('at least one stream') });
  expect((await logs('stdout=1&since=yesterday')).status).toBe(400);
});

test('the tail of a large log is found without reading it', async () => {
  const here = await world();
  await (
    await here.container.start('yes "a line that is written again and again" | head -n 2000000; echo end')
  ).exit;
  await until(() => here.container.running === null);
  const before = readsOf();
  const tail = lines(await call(here, 'GET', '/containers/streaming/logs?stdout=1&tail=2'));
  expect(tail).toBe('a line that is written again and again\nend\n');
  expect(readsOf() - before).toBeLessThan(2_000_000);
});
const readsOf = () => Number(/^rchar: (\d+)$/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1]);

test('a log is followed to the end of the run, and through the runs of a restart policy', async () => {
  const here = await world();
  const first = await here.container.start('echo one; read x; echo two', 'restarting');
  const following = call(here, 'GET', '/containers/streaming/logs?stdout=1&follow=1');
  await pause(50);
  await first.write(Buffer.from('\n'));
  await until(() => here.container.status === 'restarting');
  await here.container.start('echo three');
  expect(lines(await following)).toBe('one\ntwo\nthree\n');
});

test('a follower that leaves is forgotten; one that begins at the end sees what is new', async () => {
  const here = await world();
  const kept = await here.container.start('echo old; read x; echo new');
  await until(() => kept.written > kept.begin + 16);
  const left = new Client(here.socketPath);
  left.socket.write('GET /containers/streaming/logs?stdout=1&follow=1 HTTP/1.1\r\nHost: d\r\n\r\n');
  await until(() => left.bytes.includes('old\n'));
  left.socket.destroy();
  const following = call(here, 'GET', '/containers/streaming/logs?stdout=1&follow=1&tail=0');
  await pause(50);
  await kept.write(Buffer.from('\n'));
  expect(lines(await following)).toBe('new\n');
});

test('details show labels and variables; a log that is not kept can’t be read', async () => {
  const log = { Type: 'json-file', Config: { labels: 'of', env: 'A' } };
  const here = await world({ log });
  await (
    await here.container.start('echo x')
  ).exit;
  expect(lines(await call(here, 'GET', '/containers/streaming/logs?stdout=1&details=1'))).toBe('A=1,of=test x\n');
  const none = await world({ log: { Type: 'none', Config: {} }, keepBytes: 2 ** 20 });
  const refused = await call(none, 'GET', '/containers/streaming/logs?stdout=1');
  expect([refused.status, json(refused)['message']]).toEqual([
    501,
    'configured logging driver does not support reading',
  ]);
  const attached = await attachTo(none, 'stream=1&stdout=1&logs=1');
  await none.container.start('echo still attached');
  expect((await attached.over()).body).toBe(frame(1, 'still attached\n'));
});

test('events come as they happen, chosen by filters, with nanoseconds in full', async () => {
  const here = await world();
  const filters = encodeURIComponent(JSON.stringify({ type: { container: true }, event: ['start', 'exec_create'] }));
  const client = new Client(here.socketPath);
  client.socket.write(`GET /v1.50/events?filters=${filters} HTTP/1.1\r\nHost: d\r\n\r\n`);
  await until(() => client.head.includes('200 OK')); // at once, before there is any
  here.container.publish('create');
  here.container.publish('exec_create: sh', { execID: 'x' });
  here.container.events.publish('volume', 'start', 'v');
  await until(() => client.body.includes('exec_create'));
  here.container.publish('start');
  await until(() => client.body.includes('"start"'));
  const found = client.body.split('\n').flatMap((line) => (line.startsWith('{') ? [line] : []));
  expect(found.map((line) => (JSON.parse(line) as { Action: string }).Action)).toEqual(['exec_create: sh', 'start']);
  const [event = ''] = found;
  expect(event).toMatch(/^{"status":"exec_create: sh","id":"c0ffee0+","from":"busybox","Type":"container"/);
  expect(event).toMatch(/"scope":"local","time":\d{10},"timeNano":\d{19}}$/);
  const past = await call(here, 'GET', `/events?since=1&until=${Math.floor(Date.now() / 1000) + 1}&filters=${filters}`);
  expect(past.body.split('\n').length - 1).toBe(2);
  expect((await call(here, 'GET', '/events?filters={garbage')).status).toBe(400);
});

test('hostile clients: headers without end, a body that never comes, noise after the upgrade', async () => {
  const here = await world();
  await here.container.start('sleep 1000');
  const headers = new Client(here.socketPath);
  headers.socket.write(`POST /containers/streaming/attach HTTP/1.1\r\n${`X: ${'y'.repeat(1000)}\r\n`.repeat(200)}\r\n`);
  expect((await headers.over()).head).toContain('431');
  const id = await makeExec(here, 'echo fine');
  const silent = new Client(here.socketPath);
  const head = 'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 5000\r\n';
  silent.socket.write(`POST /exec/${id}/start HTTP/1.1\r\nHost: d\r\n${head}\r\n{`);
  silent.socket.end();
  expect((await silent.over()).head).toContain('400 Bad Request');
  const large = await new Client(here.socketPath).post(`/exec/${id}/start`, head.replace('5000', '99999999'));
  expect((await large.over()).head).toContain('400 Bad Request');
  const noise = await attachTo(here, 'stream=1&stdout=1');
  noise.socket.write(Buffer.alloc(3_000_000, 'noise'));
  noise.socket.destroy();
  expect((await (await startExec(here, id)).over()).body).toBe(frame(1, 'fine\n'));
});
