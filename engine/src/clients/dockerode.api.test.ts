// The engine as programs in JavaScript use it: through dockerode.
import Docker from 'dockerode';
import { PassThrough, type Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DockerClient } from '../testing/docker-client.ts';

let client: DockerClient;
let docker: Docker;
beforeAll(async () => {
  client = await DockerClient.start();
  docker = new Docker({ socketPath: client.socket });
});
afterAll(() => client.end());

const NONE = { HostConfig: { NetworkMode: 'none' } };

/** A multiplexed stream, taken apart. */
async function split(stream: NodeJS.ReadableStream): Promise<{ out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  docker.modem.demuxStream(stream, out, err);
  stream.on('end', () => {
    out.end();
    err.end();
  });
  const [outText, errText] = await Promise.all([text(out), text(err)]);
  return { out: outText, err: errText };
}

test('says who it is', async () => {
  expect((await docker.ping()).toString()).toBe('OK');
  expect(await docker.version()).toMatchObject({ Os: 'linux', ApiVersion: expect.stringMatching(/^1\.\d+$/) });
  expect(await docker.info()).toMatchObject({
    OSType: 'linux',
    NCPU: expect.any(Number),
    ServerVersion: expect.any(String),
  });
});

test('runs to the end, output in two streams, exit code told', async () => {
  const container = await docker.createContainer({
    Image: 'busybox',
    Cmd: ['sh', '-c', 'echo out; echo err >&2; exit 6'],
    ...NONE,
  });
  const stream = await container.attach({ stream: true, stdout: true, stderr: true });
  const both = split(stream);
  const waited = container.wait({ condition: 'next-exit' }) as Promise<{ StatusCode: number }>;
  await container.start();
  expect(await both).toEqual({ out: 'out\n', err: 'err\n' });
  expect((await waited).StatusCode).toBe(6);
  expect((await container.inspect()).State).toMatchObject({ Status: 'exited', ExitCode: 6, Running: false });
  await container.remove();
  await expect(container.inspect()).rejects.toMatchObject({ statusCode: 404 });
});

test('hijacks: what is typed comes back, end of input ends the program', async () => {
  const options = { Image: 'busybox', Cmd: ['tr', 'a-z', 'A-Z'], OpenStdin: true, StdinOnce: true, ...NONE };
  const container = await docker.createContainer({
    ...options,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  await container.start();
  const both = split(stream);
  stream.end('ahoy\n');
  expect((await both).out).toBe('AHOY\n');
  await container.wait();
  await container.remove();
});

test('a terminal is raw, and is resized', async () => {
  const options = { Image: 'busybox', Cmd: ['sh'], Tty: true, OpenStdin: true, ...NONE };
  const container = await docker.createContainer({
    ...options,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
  });
  const stream = await container.attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true });
  await container.start();
  await container.resize({ h: 40, w: 123 });
  const said = text(stream);
  stream.write('stty size; tty; exit 3\n');
  expect(await said).toMatch(/40 123\r\n\/dev\/(pts\/0|console)\r\n/);
  expect(((await container.wait()) as { StatusCode: number }).StatusCode).toBe(3);
  await container.remove();
});

test('exec: two streams, exit code, what it is', async () => {
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['sleep', '1000'], ...NONE });
  await container.start();
  const exec = await container.exec({ Cmd: ['sh', '-c', 'echo in; exit 8'], AttachStdout: true, AttachStderr: true });
  const stream = await exec.start({ hijack: true, stdin: false });
  expect(await split(stream)).toEqual({ out: 'in\n', err: '' });
  expect(await exec.inspect()).toMatchObject({ ExitCode: 8, Running: false });
  await container.remove({ force: true });
});

test('logs: all at once, and followed to the end', async () => {
  const container = await docker.createContainer({
    Image: 'busybox',
    Cmd: ['sh', '-c', 'echo 1; sleep 0.5; echo 2'],
    ...NONE,
  });
  await container.start();
  const followed = await container.logs({ follow: true, stdout: true, stderr: true });
  expect((await split(followed)).out).toBe('1\n2\n');
  const all = await container.logs({ stdout: true, stderr: true, tail: 1 });
  expect(all.toString('latin1')).toBe('\x01\0\0\0\0\0\0\x022\n');
  await container.remove();
});

test('archives go in and come out as tar', async () => {
  const container = await docker.createContainer({ Image: 'busybox', Cmd: ['true'], ...NONE });
  const out = await container.getArchive({ path: '/etc/passwd' });
  const tar = Buffer.concat(await (out as Readable).toArray());
  expect(tar.subarray(0, 6).toString()).toBe('passwd');
  await container.putArchive(tar, { path: '/var' });
  const back = Buffer.concat(await ((await container.getArchive({ path: '/var/passwd' })) as Readable).toArray());
  expect(back.subarray(512).equals(tar.subarray(512))).toBe(true);
  await expect(container.getArchive({ path: '/no/such' })).rejects.toMatchObject({ statusCode: 404 });
  await container.remove();
});

test('events come as they happen', async () => {
  const events = (await docker.getEvents({
    filters: { type: ['container'], event: ['create', 'destroy'] },
  })) as Readable;
  const container = await docker.createContainer({ Image: 'busybox', ...NONE, Labels: { told: 'yes' } });
  await container.remove();
  let seen = '';
  for await (const part of events) {
    seen += String(part);
    if (seen.includes('"destroy"')) break;
  }
  const told = seen
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { Action: string; Actor: { ID: string; Attributes: object } });
  expect(told.map(({ Action }) => Action)).toEqual(['create', 'destroy']);
  for (const { Actor } of told)
    expect(Actor).toMatchObject({ ID: container.id, Attributes: { told: 'yes', image: 'busybox' } });
});

test('images and volumes', async () => {
  const image = docker.getImage('busybox');
  const { Id } = await image.inspect();
  expect((await docker.listImages({ filters: { reference: ['busybox'] } })).map((one) => one.Id)).toEqual([Id]);
  await image.tag({ repo: 'again', tag: 'now' });
  expect(await docker.getImage('again:now').remove()).toEqual([{ Untagged: 'again:now' }]);
  const { name } = await docker.createVolume({ Labels: { of: 'dockerode' } });
  const { Volumes } = await docker.listVolumes({ filters: { label: ['of=dockerode'] } });
  expect(Volumes.map((volume) => volume.Name)).toEqual([name]);
  await docker.getVolume(name).remove();
  await expect(docker.getVolume(name).inspect()).rejects.toMatchObject({ statusCode: 404 });
});
