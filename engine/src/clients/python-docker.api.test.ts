// The engine as programs in Python use it: through Debian's python3-docker.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DockerClient, runPython } from '../testing/docker-client.ts';

let client: DockerClient;
beforeAll(async () => {
  client = await DockerClient.start();
});
afterAll(() => client.end());

/** Runs a script that has `client` and `none`, and returns what it prints as JSON. */
async function python(script: string): Promise<unknown> {
  const lines = [
    'import docker, io, json, tarfile',
    'client = docker.from_env()',
    "none = {'network_mode': 'none'}",
    script,
  ];
  const { code, stdout, stderr } = await runPython(lines.join('\n'), client.env);
  if (code !== 0) throw new Error(`python3: exit ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

test('run returns the output, and raises what went wrong', async () => {
  expect(
    await python(`
out = client.containers.run('busybox', ['echo', 'ahoy'], remove=True, **none).decode()
try:
    client.containers.run('busybox', ['sh', '-c', 'echo oops >&2; exit 4'], remove=True, **none)
except docker.errors.ContainerError as error:
    failed = [error.exit_status, error.stderr.decode()]
try:
    client.containers.get('nobody')
except docker.errors.NotFound as error:
    missing = error.explanation
print(json.dumps([out, failed, missing]))`),
  ).toEqual(['ahoy\n', [4, 'oops\n'], 'No such container: nobody']);
});

test('a detached container is followed, entered, measured and stopped', async () => {
  expect(
    await python(`
box = client.containers.run('busybox', ['sh', '-c', 'echo begun; exec sleep 1000'], detach=True, **none)
first = next(iter(box.logs(stream=True))).decode()
code, (out, err) = box.exec_run(['sh', '-c', 'echo a; echo b >&2; exit 2'], demux=True)
sock = box.exec_run(['cat'], stdin=True, socket=True)
stats = box.stats(stream=False)
top = [row[-1] for row in box.top()['Processes']]
box.stop(timeout=0)
box.reload()
state = [box.status, box.attrs['State']['ExitCode'], box.wait()['StatusCode']]
box.remove()
print(json.dumps([first, code, out.decode(), err.decode(), stats['pids_stats']['current'] >= 1, top[0], state]))`),
  ).toEqual(['begun\n', 2, 'a\n', 'b\n', true, 'sleep 1000', ['exited', 137, 137]]);
});

test('the raw socket of attach carries input and output', async () => {
  expect(
    await python(`
box = client.containers.create('busybox', ['head', '-n', '1'], stdin_open=True, **none)
sock = box.attach_socket(params={'stdin': 1, 'stdout': 1, 'stream': 1})
box.start()
sock._sock.sendall(b'rope\\n')
data = b''
while len(data) < 13:
    part = sock._sock.recv(100)
    if not part: break
    data += part
code = box.wait()['StatusCode']
box.remove()
print(json.dumps([list(data[:8]), data[8:].decode(), code]))`),
  ).toEqual([[1, 0, 0, 0, 0, 0, 0, 5], 'rope\n', 0]);
});

test('archives, commits and saved images survive the way there and back', async () => {
  expect(
    await python(`
box = client.containers.create('busybox', ['cat', '/etc/note'], **none)
raw = io.BytesIO()
with tarfile.open(fileobj=raw, mode='w') as tar:
    info = tarfile.TarInfo('note'); info.size = 5
    tar.addfile(info, io.BytesIO(b'noted'))
put = box.put_archive('/etc', raw.getvalue())
stream, stat = box.get_archive('/etc/note')
image = box.commit('committed', 'py')
data = b''.join(image.save(named=True))
box.remove()
client.images.remove('committed:py')
loaded = client.images.load(data)[0]
same = loaded.id == image.id
out = client.containers.run('committed:py', remove=True, **none).decode()
client.images.remove('committed:py')
print(json.dumps([put, stat['size'], same, loaded.tags, out]))`),
  ).toEqual([true, 5, true, ['committed:py'], 'noted']);
});

test('volumes are shared between containers', async () => {
  expect(
    await python(`
volume = client.volumes.create(name='py-shared', labels={'a': 'b'})
mount = {'py-shared': {'bind': '/shared', 'mode': 'rw'}}
client.containers.run('busybox', ['sh', '-c', 'echo passed > /shared/note'], volumes=mount, remove=True, **none)
out = client.containers.run('busybox', ['cat', '/shared/note'], volumes=mount, remove=True, **none).decode()
found = [one.name for one in client.volumes.list(filters={'label': 'a=b'})]
volume.remove()
print(json.dumps([out, found, client.volumes.list(filters={'label': 'a=b'})]))`),
  ).toEqual(['passed\n', ['py-shared'], []]);
});
