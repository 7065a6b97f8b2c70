// What streams, through a real daemon, by clients somebody else wrote: the docker CLI and dockerode.
import Docker from 'dockerode';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDaemon } from '../testing/daemon.ts';
import { busyboxImage } from '../testing/test-image.ts';

let daemon: TestDaemon;
let dockerode: Docker;
const image = busyboxImage();

interface Done {
  code: number | null;
  stdout: string;
  stderr: string;
}
function docker(args: readonly string[], input = ''): Promise<Done> {
  return new Promise((resolve) => {
    const env = { ...process.env, DOCKER_HOST: `unix://${daemon.engineSocket}` };
    const child = execFile('docker', args, { env, maxBuffer: 2 ** 28 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}
const run = (...args: string[]) => docker(['run', ...args]);

beforeAll(async () => {
  daemon = await TestDaemon.start({ learners: false });
  dockerode = new Docker({ socketPath: daemon.engineSocket });
  expect(await docker(['load', '-i', image.dockerTar])).toMatchObject({ code: 0 });
});
afterAll(async () => {
  const { stdout } = await docker(['ps', '-aq']);
  await docker(['rm', '-f', ...stdout.split('\n').filter((id) => id !== '')]);
  await daemon.end();
  image.remove();
});

test('docker run gives output, errors and exit code of a process that ends at once, twenty times over', async () => {
  for (let count = 0; count < 20; count++)
    expect(await run('--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
});

test('docker run -i hands in what is piped, and its end; megabytes pass unchanged', async () => {
  const lines = Array.from({ length: 300_000 }, (_, at) => `${at}\n`).join('');
  const done = await docker(['run', '--rm', '-i', 'busybox', 'cat'], lines);
  expect([done.code, done.stdout === lines]).toEqual([0, true]);
});

test('docker exec: output, input, environment, directory, user, exit codes', async () => {
  await run('-d', '--name', 'box', 'busybox', 'sleep', '1000');
  const exec = (...args: string[]) => docker(['exec', ...args]);
  expect(await exec('box', 'sh', '-c', 'echo out; echo err >&2; exit 3')).toEqual({
    code: 3,
    stdout: 'out\n',
    stderr: 'err\n',
  });
  expect(await docker(['exec', '-i', 'box', 'cat'], 'piped\n')).toMatchObject({ code: 0, stdout: 'piped\n' });
  const asked = ['-e', 'A=5', '-w', '/tmp', '-u', '1000:1000', 'box', 'sh', '-c', 'echo $A $PWD $(id -u):$(id -g)'];
  expect((await exec(...asked)).stdout).toBe('5 /tmp 1000:1000\n');
  const missing = await exec('box', 'nothing');
  expect(missing.code).toBe(126);
  expect(missing.stdout + missing.stderr).toContain('OCI runtime exec failed: exec failed');
  expect(await exec('-d', 'box', 'touch', '/tmp/made')).toMatchObject({ code: 0, stdout: '' });
  while ((await exec('box', 'ls', '/tmp')).stdout !== 'made\n');
  await docker(['pause', 'box']);
  expect((await exec('box', 'true')).stderr).toContain('is paused, unpause the container before exec');
  await docker(['unpause', 'box']);
  await docker(['kill', 'box']);
  expect((await exec('box', 'true')).stderr).toMatch(/container [0-9a-f]{64} is not running/);
});

test('a container is started again after a boot, which leaves no file of its keepers', async () => {
  await run('--name', 'rebooted', 'busybox', 'echo', 'hi');
  const { Id } = await dockerode.getContainer('rebooted').inspect();
  rmSync(join(daemon.directory, 'run/containers', Id), { recursive: true });
  expect(await docker(['start', '-a', 'rebooted'])).toMatchObject({ code: 0, stdout: 'hi\n' });
  expect((await docker(['logs', 'rebooted'])).stdout).toBe('hi\nhi\n');
});

test('docker logs: all, tail, since, times, through two runs; docker start -a attaches to the next', async () => {
  await run('--name', 'talker', 'busybox', 'sh', '-c', 'echo one; echo two >&2');
  expect(await docker(['logs', 'talker'])).toEqual({ code: 0, stdout: 'one\n', stderr: 'two\n' });
  expect(await docker(['start', '-a', 'talker'])).toEqual({ code: 0, stdout: 'one\n', stderr: 'two\n' });
  expect((await docker(['logs', 'talker'])).stdout).toBe('one\none\n');
  expect((await docker(['logs', '--tail', '1', 'talker'])).stderr).toBe('two\n');
  expect((await docker(['logs', '-t', 'talker'])).stdout).toMatch(/^(\d{4}-\S+\.\d{9}Z one\n){2}$/);
  expect((await docker(['logs', '--since', '1h', '-f', 'talker'])).stdout).toBe('one\none\n');
  expect((await docker(['logs', '--until', '1h', 'talker'])).stdout).toBe('');
});

test('a bounded log keeps its end; a driver that is not there is refused', async () => {
  const options = ['--log-opt', 'max-size=100k', '--log-opt', 'max-file=2'];
  const done = await run('--name', 'bounded', ...options, 'busybox', 'seq', '1', '200000');
  expect(done.stdout.length).toBe(1_288_895); // who is attached misses nothing
  const { stdout } = await docker(['logs', 'bounded']);
  expect(stdout.endsWith('199999\n200000\n')).toBe(true);
  expect(stdout.length).toBeLessThan(270_000);
  expect((await run('--rm', '--log-driver', 'nothing', 'busybox')).stderr).toContain(
    "logger: no log driver named 'nothing' is registered",
  );
  await run('--name', 'silent', '--log-driver', 'none', 'busybox', 'echo', 'hi');
  expect((await docker(['logs', 'silent'])).stderr).toContain('configured logging driver does not support reading');
});

test('docker events and docker stats answer at once and go on', async () => {
  const env = { ...process.env, DOCKER_HOST: `unix://${daemon.engineSocket}` };
  const events = spawn('docker', ['events', '--filter', 'container=eventful', '--format', '{{.Action}}'], { env });
  let said = '';
  events.stdout.on('data', (part: Buffer) => (said += part.toString()));
  // The CLI says nothing when it listens: a container is made again and again until one is told of.
  while (!said.includes('create')) {
    await docker(['rm', '-f', 'eventful']);
    await docker(['create', '--name', 'eventful', 'busybox', 'sleep', '1000']);
  }
  await docker(['start', 'eventful']);
  await docker(['exec', 'eventful', 'true']);
  const stats = await docker(['stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}}', 'eventful']);
  expect(stats.stdout).toBe('eventful 1\n');
  await docker(['kill', 'eventful']);
  while (!said.includes('die')) await once(events.stdout, 'data');
  events.kill();
  for (const action of ['start', 'exec_create: true', 'exec_start: true', 'exec_die', 'kill'])
    expect(said).toContain(action);
});

test('dockerode attaches before the start, and demultiplexes', async () => {
  const Cmd = ['sh', '-c', 'read x; echo got $x; echo err >&2'];
  const config = { Image: 'busybox', Cmd, OpenStdin: true, StdinOnce: true, AttachStdin: true };
  const container = await dockerode.createContainer(config);
  const stream = await container.attach({ stream: true, hijack: true, stdin: true, stdout: true, stderr: true });
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  dockerode.modem.demuxStream(stream, stdout, stderr);
  stream.on('end', () => [stdout, stderr].forEach((one) => one.end()));
  const waiting = container.wait();
  await container.start();
  stream.write('typed\n');
  stream.end();
  expect(await Promise.all([text(stdout), text(stderr)])).toEqual(['got typed\n', 'err\n']);
  expect(await waiting).toEqual({ StatusCode: 0 });
});

test('dockerode runs an exec on a terminal, resizes it, and learns its exit code', async () => {
  const container = await dockerode.createContainer({ Image: 'busybox', Cmd: ['sleep', '1000'] });
  await container.start();
  const exec = await container.exec({
    Cmd: ['sh', '-c', 'stty -echo; while read x; do stty size; [ "$x" = end ] && exit 9; done'],
    AttachStdin: true,
    AttachStdout: true,
    Tty: true,
  });
  const stream = await exec.start({ hijack: true, stdin: true, Tty: true });
  let said = '';
  stream.on('data', (part: Buffer) => (said += part.toString()));
  const until = async (words: string) => {
    while (!said.includes(words)) await once(stream, 'data');
  };
  await exec.resize({ h: 33, w: 111 });
  while (!said.includes('33 111')) {
    stream.write('again\n');
    await once(stream, 'data');
  }
  stream.write('end\n');
  await until('33 111');
  await once(stream, 'end');
  expect(await exec.inspect()).toMatchObject({ Running: false, ExitCode: 9 });
});

test('a daemon that is killed and started again: logs whole, execs go on, the follower’s container too', async () => {
  await run(
    '-d',
    '--name',
    'survivor',
    'busybox',
    'sh',
    '-c',
    'i=0; while :; do echo $i; i=$((i+1)); sleep 0.01; done',
  );
  const container = dockerode.getContainer('survivor');
  const exec = await container.exec({ Cmd: ['sh', '-c', 'sleep 2; exit 6'] });
  await exec.start({ Detach: true });
  const following = docker(['logs', '-f', 'survivor']);
  await docker(['exec', 'survivor', 'sleep', '0.1']);
  await daemon.killAndRestart();
  const before = (await following).stdout.trimEnd().split('\n').length; // the last line may be torn off with the connection
  expect(before).toBeGreaterThan(3);
  expect(await exec.inspect()).toMatchObject({ ContainerID: (await container.inspect()).Id });
  for (;;) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running) {
      expect(ExitCode).toBe(6);
      break;
    }
  }
  await docker(['kill', 'survivor']);
  const numbers = (await docker(['logs', 'survivor'])).stdout.trimEnd().split('\n').map(Number);
  expect(numbers).toEqual(numbers.map((_, at) => at));
  expect(numbers.length).toBeGreaterThan(before);
});
