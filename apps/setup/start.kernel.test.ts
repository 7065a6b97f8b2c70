// `npm start`, `--stop` and `npm run uninstall` as a person meets them, in an instance of its own.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { instanceId } from '../../engine/src/instance-id.mjs';
import { requires } from '../../engine/src/testing/requires.ts';
import { listSandboxes } from './engine-client.mjs';
import { releaseCodename } from './image/make.mjs';
import { imageHash, readPointer } from './image/store.mjs';
import { cgroupHierarchies } from './leftovers.mjs';
import { instancePaths, projectRoot } from './paths.mjs';

requires('root', 'overlay', 'idmapped-mounts', 'loop', 'veth', 'nftables', 'cgroup');

const PORT = 20_000 + (process.pid % 10_000);
const SET_UP_MS = 600_000;
const scratch = mkdtempSync(join(tmpdir(), 'drydock-start-'));
// Sandboxes are not root: they must be able to pass.
chmodSync(scratch, 0o711);
const env = { ...process.env, DRYDOCK_ROOT: join(scratch, 'root'), DRYDOCK_RUN: join(scratch, 'run') };
const paths = instancePaths(env);

let lab: ChildProcess | undefined;
let printed = '';

function command(file: string, ...args: string[]): string {
  return execFileSync(process.execPath, [join(projectRoot, 'apps/setup', file), ...args], { env, encoding: 'utf8' });
}

async function said(text: string | RegExp): Promise<void> {
  while (!(typeof text === 'string' ? printed.includes(text) : text.test(printed))) {
    if (lab?.exitCode !== null) throw new Error(`npm start ended:\n${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function child(user: (uid: string) => boolean): { pid: string; status: string } {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const isChild = new RegExp(`^PPid:\\t${lab?.pid}$`, 'm').test(status);
      if (isChild && user(/^Uid:\t(\d+)/m.exec(status)?.[1] ?? '')) return { pid, status };
    } catch {
      // It ended while the list was read.
    }
  }
  throw new Error('npm start has no such child');
}

function createSandbox(id: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const options = { socketPath: paths.labSocket, method: 'POST', path: '/lab/sandboxes', headers };
    const call = request(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    });
    call.on('error', reject);
    call.end(JSON.stringify({ id }));
  });
}

beforeAll(async () => {
  // The machine's own instance may have made the same image already.
  const present = readPointer(instancePaths({}).imagePointer);
  if (present?.hash === imageHash(releaseCodename()) && existsSync(present.rootfs)) {
    mkdirSync(paths.images, { recursive: true });
    copyFileSync(instancePaths({}).imagePointer, paths.imagePointer);
  }
  lab = spawn(process.execPath, [join(projectRoot, 'apps/setup/start.mjs'), '--port', String(PORT)], { env });
  for (const stream of [lab.stdout, lab.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (printed += text));
  await said('Drydock is ready: ');
}, SET_UP_MS);

afterAll(async () => {
  if (lab?.exitCode === null) {
    const ended = new Promise((resolve) => lab?.once('close', resolve));
    lab.kill('SIGTERM');
    await ended;
  }
  command('uninstall.mjs', '--yes');
  rmSync(scratch, { recursive: true, force: true });
});

it('serves the catalogue at the address it printed', async () => {
  const answer = await fetch(`http://127.0.0.1:${PORT}/`);
  expect([answer.status, (await answer.text()).includes('Drydock')]).toEqual([200, true]);
});

it('runs the server without root, without capabilities, in a view without the clone, the host’s root or engine.sock', () => {
  const { pid, status } = child((uid) => uid !== '0');
  expect(status).toMatch(/^CapBnd:\t0+$/m);
  expect(status).toMatch(/^NoNewPrivs:\t1$/m);
  const inside = (path: string) => existsSync(`/proc/${pid}/root${path}`);
  expect(['/opt/drydock/build/server.mjs', '/root', projectRoot, paths.root].map(inside)).toEqual([
    true,
    false,
    false,
    false,
  ]);
  const connect = `require('net').connect('/run/drydock/engine.sock').on('error', (e) => console.log(e.code)).on('connect', () => console.log('in'))`;
  const user = [
    '--reuid',
    /^Uid:\t(\d+)/m.exec(status)?.[1] ?? '',
    '--regid',
    /^Gid:\t(\d+)/m.exec(status)?.[1] ?? '',
    '--clear-groups',
  ];
  const text = execFileSync('nsenter', ['-t', pid, '-m', 'setpriv', ...user, '/opt/node', '-e', connect], {
    encoding: 'utf8',
  });
  expect(text.trim()).toBe('EACCES');
});

it('says that it runs when it is started a second time', () => {
  expect(command('start.mjs', '--port', String(PORT))).toContain(
    `Drydock runs already: http://127.0.0.1:${PORT} (process ${lab?.pid})`,
  );
});

it('previews one lesson beside the lab, and leaves nothing of it', async () => {
  const port = PORT + 1;
  const args = ['lessons', 'preview', 'B/b2-pid', '--port', String(port)];
  const author = spawn(process.execPath, [join(projectRoot, 'apps/setup/run.mjs'), ...args], { env });
  const ended = new Promise((resolve) => author.once('close', resolve));
  let text = '';
  await new Promise<void>((resolve, reject) => {
    void ended.then(() => reject(new Error(`the preview ended:\n${text}`)));
    for (const stream of [author.stdout, author.stderr])
      stream.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.includes('lab ready')) resolve();
      });
  });
  const page = async (path: string) => await fetch(`http://127.0.0.1:${port}${path}`);
  expect(await (await page('/')).text()).toContain('A process tree of your own');
  expect((await page('/learn/B/b2-pid')).status).toBe(200);
  expect(await (await page('/')).text()).not.toContain('A view of the files');
  author.kill('SIGTERM');
  await ended;
  expect(readdirSync(paths.run).filter((name) => name.startsWith('preview-'))).toEqual([]);
  expect(await listSandboxes(paths.labSocket)).toEqual([]);
});

it('starts a killed engine again, with its sandbox', async () => {
  expect(await createSandbox('guest')).toContain('"state":"running"');
  process.kill(Number(child((uid) => uid === '0').pid), 'SIGKILL');
  await said('The engine daemon serves again.');
  expect(await listSandboxes(paths.labSocket)).toMatchObject([{ id: 'guest', state: 'running' }]);
});

it('leaves the sandbox running on Ctrl-C, ends it with --stop, and takes everything back with uninstall', async () => {
  const ended = new Promise((resolve) => lab?.once('close', resolve));
  lab?.kill('SIGINT');
  await ended;
  expect(printed).toContain('1 sandbox goes on without them');
  const name = `drydock-${instanceId(paths.root, paths.run)}`;
  const groups = () =>
    cgroupHierarchies(readFileSync('/proc/mounts', 'utf8')).filter((point) => existsSync(join(point, name)));
  expect(groups()).not.toEqual([]);
  expect(command('start.mjs', '--stop')).toContain('No sandbox runs');
  expect(groups()).toEqual([]);
  expect(command('uninstall.mjs', '--yes')).toContain('Done.');
  expect([paths.root, paths.run, paths.labData].filter((path) => existsSync(path))).toEqual([]);
});
