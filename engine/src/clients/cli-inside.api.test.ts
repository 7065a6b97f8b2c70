// Going into a container and bringing things out of it, with the docker CLI: exec, attach, cp, diff, commit, export, top, stats.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DockerClient } from '../testing/docker-client.ts';

let docker: DockerClient;
beforeAll(async () => {
  docker = await DockerClient.start();
  await docker.ok('run', '-d', '--name', 'box', '--network', 'none', '-e', 'IN=box', 'busybox', 'sleep', '100000');
});
afterAll(() => docker.end());

test.each([
  { what: 'success', cmd: ['true'], code: 0 },
  { what: 'the program', cmd: ['sh', '-c', 'exit 5'], code: 5 },
  { what: 'a program that is not there', cmd: ['no-such-program'], code: 126 },
  { what: 'a file without the right to run', cmd: ['/etc/passwd'], code: 126 },
])('exec exits with the code of $what: $code', async ({ cmd, code }) => {
  expect((await docker.run(['exec', 'box', ...cmd])).code).toBe(code);
});

test('exec has the container’s environment and what it is given besides', async () => {
  const options = ['-e', 'MORE=yes', '-w', '/var', '-u', 'daemon'];
  const out = await docker.ok('exec', ...options, 'box', 'sh', '-c', 'echo $IN $MORE; pwd; id -un');
  expect(out).toBe('box yes\n/var\ndaemon');
});

test('exec passes input to its end', async () => {
  const { stdout } = await docker.run(['exec', '-i', 'box', 'wc', '-c'], { input: 'a'.repeat(300_000) });
  expect(stdout.trim()).toBe('300000');
});

test('exec in the background leaves its work behind', async () => {
  await docker.ok('exec', '-d', 'box', 'sh', '-c', 'echo done > /tmp/background');
  await expect.poll(async () => (await docker.run(['exec', 'box', 'cat', '/tmp/background'])).stdout).toBe('done\n');
});

test('exec into a stopped container is refused', async () => {
  await docker.ok('create', '--name', 'still', 'busybox');
  const { code, stderr } = await docker.run(['exec', 'still', 'true']);
  expect(stderr).toMatch(/is not running/);
  expect(code).toBe(1);
  await docker.ok('rm', 'still');
});

test('attach shows what comes and ends with the container, with its code', async () => {
  const waiting = 'read line; echo got $line; exit 4';
  await docker.ok('create', '-i', '--name', 'attached', '--network', 'none', 'busybox', 'sh', '-c', waiting);
  const { code, stdout } = await docker.run(['start', '-a', '-i', 'attached'], { input: 'rope\n' });
  expect(stdout).toBe('got rope\n');
  expect(code).toBe(4);
  await docker.ok('rm', 'attached');
});

test('cp carries files and folders both ways', async () => {
  const folder = join(docker.scratch, 'cargo');
  mkdirSync(join(folder, 'hold'), { recursive: true });
  writeFileSync(join(folder, 'hold/rum'), 'cask\n', { mode: 0o640 });
  await docker.ok('cp', folder, 'box:/srv-cargo');
  expect(await docker.ok('exec', 'box', 'cat', '/srv-cargo/hold/rum')).toBe('cask');
  expect(await docker.ok('exec', 'box', 'stat', '-c', '%a', '/srv-cargo/hold/rum')).toBe('640');
  await docker.ok('exec', 'box', 'sh', '-c', 'echo more >> /srv-cargo/hold/rum');
  await docker.ok('cp', 'box:/srv-cargo/hold/rum', join(docker.scratch, 'rum'));
  expect(readFileSync(join(docker.scratch, 'rum'), 'utf8')).toBe('cask\nmore\n');
  const { code, stderr } = await docker.run(['cp', 'box:/no/such', docker.scratch]);
  expect(stderr).toMatch(/Could not find the file \/no\/such in container/);
  expect(code).toBe(1);
});

test('diff, commit and run: what was changed is in the new image', async () => {
  await docker.ok(
    'run',
    '--name',
    'changed',
    '--network',
    'none',
    'busybox',
    'sh',
    '-c',
    'echo new > /etc/motd; rm /etc/group',
  );
  const changes = (await docker.ok('diff', 'changed')).split('\n').sort();
  expect(changes).toEqual(['A /etc/motd', 'C /etc', 'D /etc/group']);
  const id = await docker.ok(
    'commit',
    '-m',
    'a message',
    '--change',
    'CMD ["cat","/etc/motd"]',
    'changed',
    'committed:1',
  );
  expect(id).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(await docker.ok('run', '--rm', '--network', 'none', 'committed:1')).toBe('new');
  expect((await docker.run(['run', '--rm', '--network', 'none', 'committed:1', 'cat', '/etc/group'])).code).toBe(1);
  expect(await docker.inspect('committed:1', '{{json .Comment}}')).toBe('a message');
  await docker.ok('rm', 'changed');
  await docker.ok('rmi', 'committed:1');
});

test('export and import: the files, without the layers', async () => {
  const tar = join(docker.scratch, 'export.tar');
  await docker.ok('exec', 'box', 'sh', '-c', 'echo exported > /etc/exported');
  await docker.ok('export', '-o', tar, 'box');
  await docker.ok('import', '--change', 'ENV FROM=tar', '--change', 'CMD ["sh"]', tar, 'imported:1');
  expect(
    await docker.ok('run', '--rm', '--network', 'none', 'imported:1', 'sh', '-c', 'cat /etc/exported; echo $FROM'),
  ).toBe('exported\ntar');
  expect(await docker.inspect('imported:1', '{{len .RootFS.Layers}}')).toBe(1);
  await docker.ok('rmi', 'imported:1');
});

test('top lists the processes of the container only', async () => {
  const lines = (await docker.ok('top', 'box', '-o', 'pid,args')).split('\n');
  expect(lines[0]).toMatch(/PID\s+COMMAND/);
  expect(lines.slice(1).map((line) => line.trim().replace(/^\d+\s+/, ''))).toEqual(['sleep 100000']);
});

test('stats says what the container uses', async () => {
  const line = await docker.ok('stats', '--no-stream', '--format', '{{.Name}} {{.PIDs}} {{.MemUsage}}', 'box');
  expect(line).toMatch(/^box 1 [\d.]+(KiB|MiB|B) \/ [\d.]+(GiB|MiB)$/);
});
