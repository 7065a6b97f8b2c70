// The verbs of containers against a real daemon: what each does to the processes, what it answers, and what survives the
// daemon's death.
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { requires } from '../testing/requires.ts';
import { ContainerWorld } from '../testing/container-world.ts';

requires('overlay');

let world: ContainerWorld;

beforeAll(async () => {
  world = await ContainerWorld.start();
});
afterEach(async () => world.daemon.removeContainers());
afterAll(async () => world.end());

/** Ends at SIGTERM with 5. */
const TRAPPING = ['sh', '-c', 'trap "exit 5" TERM; echo ready; while true; do sleep 0.05; done'];
const ms = (count: number) => count * 1_000_000;

describe('what ends a container', () => {
  test('stop sends the stop signal, then SIGKILL; a second one changes nothing', async () => {
    const id = await world.run({ Cmd: TRAPPING });
    expect(await world.post(`${id}/stop`)).toMatchObject({ status: 204 });
    expect(await world.state(id)).toMatchObject({ Status: 'exited', ExitCode: 5, Running: false, Pid: 0 });
    expect(await world.post(`${id}/stop`)).toMatchObject({ status: 304 });
    // pid 1 of a namespace takes no signal it has no handler for, from inside or out, but SIGKILL.
    const deaf = await world.run({ Cmd: ['sleep', '1000'] });
    expect(await world.post(`${deaf}/stop?t=0`)).toMatchObject({ status: 204 });
    expect(await world.state(deaf)).toMatchObject({ ExitCode: 137 });
    const other = await world.run({
      Cmd: ['sh', '-c', 'trap "exit 9" USR1; while true; do sleep 0.05; done'],
      StopSignal: 'SIGUSR1',
    });
    expect(await world.post(`${other}/stop`)).toMatchObject({ status: 204 });
    expect(await world.state(other)).toMatchObject({ ExitCode: 9 });
  });

  test('kill sends any signal, to what runs', async () => {
    const id = await world.run({ Cmd: TRAPPING });
    expect(await world.post(`${id}/kill?signal=SIGFOO`)).toMatchObject({
      status: 400,
      body: { message: 'invalid signal: SIGFOO' },
    });
    expect(await world.post(`${id}/kill?signal=TERM`)).toMatchObject({ status: 204 });
    expect(await world.wait(id)).toEqual({ StatusCode: 5 });
    expect(await world.post(`${id}/kill`)).toMatchObject({
      status: 409,
      body: { message: `cannot kill container: ${await world.name(id)}: container ${id} is not running` },
    });
  });

  test('a frozen container is killed and stopped too', async () => {
    for (const verb of ['kill', 'stop']) {
      const id = await world.run({ Cmd: TRAPPING });
      await world.post(`${id}/pause`);
      expect(await world.state(id)).toMatchObject({ Status: 'paused', Paused: true, Running: true });
      expect(await world.post(`${id}/${verb}`)).toMatchObject({ status: 204 });
      expect(await world.wait(id)).toEqual({ StatusCode: verb === 'kill' ? 137 : 5 });
    }
  });

  test('remove refuses what runs, and takes it by force', async () => {
    const id = await world.run({ Cmd: ['sleep', '1000'] });
    expect(await world.delete(id)).toMatchObject({
      status: 409,
      body: {
        message: `cannot remove container "${await world.name(id)}": container is running: stop the container before removing or force remove`,
      },
    });
    const { Pid } = await world.state(id);
    expect(await world.delete(`${id}?force=1`)).toMatchObject({ status: 204 });
    expect(() => readFileSync(`/proc/${Pid}/stat`)).toThrow('ENOENT');
    expect(await world.delete(id)).toMatchObject({ status: 404, body: { message: `No such container: ${id}` } });
  });
});

describe('a name', () => {
  test('is refused while another has it, given back by rename and remove', async () => {
    const id = await world.create({ Cmd: ['true'] }, 'first');
    expect(await world.post('create?name=first', { Image: 'busybox', Cmd: ['true'] })).toMatchObject({
      status: 409,
      body: {
        message: `Conflict. The container name "/first" is already in use by container "${id}". You have to remove (or rename) that container to be able to reuse that name.`,
      },
    });
    expect(await world.post('first/rename?name=second')).toMatchObject({ status: 204 });
    const next = await world.create({ Cmd: ['true'] }, 'first');
    expect(await world.name(next)).toBe('first');
    expect(await world.name(id)).toBe('second');
    expect(await world.name(id.slice(0, 12))).toBe('second');
  });
});

describe('a wait', () => {
  test('for the next exit outlasts the one that was; a removed container’s code is told after it is gone', async () => {
    const id = await world.create({ Cmd: ['sh', '-c', 'exit 3'] });
    const next = world.wait(id, 'next-exit');
    await world.post(`${id}/start`);
    expect(await next).toEqual({ StatusCode: 3 });
    const passing = await world.create({ Cmd: ['sh', '-c', 'exit 4'], HostConfig: { AutoRemove: true } });
    const removed = world.wait(passing, 'removed');
    await world.post(`${passing}/start`);
    expect(await removed).toEqual({ StatusCode: 4 });
    expect(await world.get(`${passing}/json`)).toMatchObject({ status: 404 });
    expect(await world.post(`${id}/wait?condition=soon`)).toMatchObject({ status: 400 });
  });

  test('a start that fails says why, with the code of a shell, and ends the wait of --rm', async () => {
    for (const [Cmd, text, code] of [
      [['nothing-of-this-name'], 'executable file not found', 127],
      [['/etc'], 'is a directory', 126],
    ] as const) {
      const id = await world.create({ Cmd });
      const { status, body } = await world.post(`${id}/start`);
      expect(status).toBe(400);
      expect((body as { message: string }).message).toContain(text);
      expect(await world.state(id)).toMatchObject({ Status: 'created', ExitCode: code });
    }
    const passing = await world.create({ Cmd: ['nothing-of-this-name'], HostConfig: { AutoRemove: true } });
    const removed = world.wait(passing, 'removed');
    await world.post(`${passing}/start`);
    expect(await removed).toEqual({ StatusCode: 127 });
  });
});

describe('restart policies', () => {
  test('on-failure gives up after so many times; a success is no failure', async () => {
    const failing = { Name: 'on-failure', MaximumRetryCount: 2 };
    const id = await world.run({ Cmd: ['sh', '-c', 'exit 7'], HostConfig: { RestartPolicy: failing } });
    // The first end is an end, though another run follows.
    expect(await world.wait(id)).toEqual({ StatusCode: 7 });
    await world.until(async () => (await world.state(id)).Status === 'exited');
    expect((await world.inspect(id)).RestartCount).toBe(2);
    expect(await world.state(id)).toMatchObject({ ExitCode: 7 });
    const well = await world.run({ Cmd: ['true'], HostConfig: { RestartPolicy: failing } });
    expect(await world.wait(well)).toEqual({ StatusCode: 0 });
    expect((await world.inspect(well)).RestartCount).toBe(0);
  });

  test('always comes back after its end and not after a stop', async () => {
    const id = await world.run({ Cmd: TRAPPING, HostConfig: { RestartPolicy: { Name: 'always' } } });
    const before = await world.state(id);
    const again = world.event({ container: [id], event: ['start'] });
    process.kill(before.Pid, 'SIGKILL');
    await again;
    const after = await world.state(id);
    expect(after).toMatchObject({ Status: 'running' });
    expect(after.Pid).not.toBe(before.Pid);
    await world.post(`${id}/stop`);
    expect(await world.state(id)).toMatchObject({ Status: 'exited', ExitCode: 5 });
  });
});

describe('the daemon dies', () => {
  test('what runs goes on, what ends meanwhile has its exit code, --rm and restart policies are honoured', async () => {
    const going = await world.run({ Cmd: TRAPPING });
    const paused = await world.run({ Cmd: TRAPPING });
    await world.post(`${paused}/pause`);
    const ending = await world.run({ Cmd: TRAPPING });
    const passing = await world.run({ Cmd: TRAPPING, HostConfig: { AutoRemove: true } });
    const always = await world.run({ Cmd: TRAPPING, HostConfig: { RestartPolicy: { Name: 'always' } } });
    const unless = await world.run({ Cmd: TRAPPING, HostConfig: { RestartPolicy: { Name: 'unless-stopped' } } });
    await world.post(`${unless}/stop`);
    const pids = Object.fromEntries(
      await Promise.all([going, ending, passing, always].map(async (id) => [id, (await world.state(id)).Pid] as const)),
    );
    await world.daemon.kill('SIGKILL');
    for (const id of [ending, passing, always]) process.kill(pids[id] ?? 0, 'SIGTERM');
    await world.gone([ending, passing, always].map((id) => pids[id] ?? 0));
    await world.daemon.start();
    expect(await world.state(going)).toMatchObject({ Status: 'running', Pid: pids[going] });
    expect(await world.state(paused)).toMatchObject({ Status: 'paused' });
    await world.post(`${paused}/unpause`);
    expect(await world.wait(ending)).toEqual({ StatusCode: 5 });
    await world.until(async () => (await world.get(`${passing}/json`)).status === 404);
    await world.until(async () => (await world.state(always)).Status === 'running');
    expect((await world.state(always)).Pid).not.toBe(pids[always]);
    expect(await world.state(unless)).toMatchObject({ Status: 'exited', ExitCode: 5 });
    expect(await world.post(`${going}/stop`)).toMatchObject({ status: 204 });
    expect(await world.state(going)).toMatchObject({ ExitCode: 5 });
  });
});

describe('health', () => {
  test('follows the check’s results and is told', async () => {
    const healthy = world.event({ event: ['health_status: healthy'] });
    const unhealthy = world.event({ event: ['health_status: unhealthy'] });
    const id = await world.run({
      Cmd: ['sleep', '1000'],
      Healthcheck: { Test: ['CMD-SHELL', 'echo looked; test ! -e /ill'], Interval: ms(50), Retries: 2 },
    });
    await healthy;
    expect((await world.listed(id)).Status).toMatch(/^Up .* \(healthy\)$/);
    await world.exec(id, ['touch', '/ill']);
    await unhealthy;
    const { Health } = await world.state(id);
    expect(Health).toMatchObject({ Status: 'unhealthy' });
    expect(Health.FailingStreak).toBeGreaterThanOrEqual(2);
    expect(Health.Log.at(-1)).toMatchObject({ ExitCode: 1, Output: 'looked\n' });
    expect(Health.Log.length).toBeLessThanOrEqual(5);
  });

  test('a check that takes too long is ended and has failed', async () => {
    const unhealthy = world.event({ event: ['health_status: unhealthy'] });
    const id = await world.run({
      Cmd: ['sleep', '1000'],
      Healthcheck: { Test: ['CMD', 'sleep', '1000'], Interval: ms(50), Timeout: ms(200), Retries: 1 },
    });
    await unhealthy;
    expect((await world.state(id)).Health.Log[0]).toMatchObject({
      ExitCode: -1,
      Output: 'Health check exceeded timeout (0.2s)',
    });
  });
});

describe('lists', () => {
  test('every filter takes what it says', async () => {
    const first = await world.create({ Cmd: ['true'], Labels: { kind: 'a' }, Volumes: { '/data': {} } }, 'list-first');
    const second = await world.run(
      { Cmd: TRAPPING, Labels: { kind: 'b' }, ExposedPorts: { '80/tcp': {} } },
      'list-second',
    );
    const third = await world.run({ Cmd: ['sh', '-c', 'exit 6'], HostConfig: { NetworkMode: 'none' } }, 'list-third');
    await world.wait(third);
    const all = [first, second, third];
    const named = async (filters: object, more = 'all=1') => {
      const { body } = await world.get(`json?${more}&filters=${encodeURIComponent(JSON.stringify(filters))}`);
      return (body as { Id: string }[]).map(({ Id }) => all.indexOf(Id) + 1).sort((a, b) => a - b);
    };
    expect(await named({})).toEqual([1, 2, 3]);
    expect(await named({}, '')).toEqual([2]);
    expect(await named({}, 'limit=1')).toEqual([3]);
    expect(await named({ status: ['created', 'exited'] }, '')).toEqual([1, 3]);
    expect(await named({ exited: ['6'] })).toEqual([3]);
    expect(await named({ label: ['kind=a'] })).toEqual([1]);
    expect(await named({ label: ['kind'] })).toEqual([1, 2]);
    expect(await named({ name: ['list-s'] })).toEqual([2]);
    expect(await named({ name: ['^/list-first$'] })).toEqual([1]);
    expect(await named({ id: [second.slice(0, 20)] })).toEqual([2]);
    expect(await named({ ancestor: ['busybox'] })).toEqual([1, 2, 3]);
    expect(await named({ ancestor: ['none-of-this-name'] })).toEqual([]);
    expect(await named({ before: ['list-second'] })).toEqual([1]);
    expect(await named({ since: [first] })).toEqual([2, 3]);
    expect(await named({ volume: ['/data'] })).toEqual([1]);
    expect(await named({ network: ['none'] })).toEqual([3]);
    expect(await named({ expose: ['80'] })).toEqual([2]);
    expect(await named({ 'is-task': ['true'] })).toEqual([]);
    expect(await named({ health: ['none'] })).toEqual([1, 2, 3]);
    for (const filters of [{ status: ['gone'] }, { exited: ['x'] }, { other: ['x'] }])
      expect(await world.get(`json?filters=${encodeURIComponent(JSON.stringify(filters))}`)).toMatchObject({
        status: 400,
      });
    expect(await world.get('json?filters={"since":["nobody"]}')).toMatchObject({ status: 404 });
  });

  test('top shows its processes by their numbers on the host, prune what does not run', async () => {
    const id = await world.run({ Cmd: TRAPPING });
    const { Pid } = await world.state(id);
    const { body } = await world.get(`${id}/top?ps_args=-eo%20pid,args`);
    const { Titles, Processes } = body as { Titles: string[]; Processes: string[][] };
    expect(Titles).toEqual(['PID', 'COMMAND']);
    expect(Processes.find(([pid]) => Number(pid) === Pid)?.[1]).toMatch(/^sh -c trap/);
    const dead = await world.create({ Cmd: ['true'] });
    expect(await world.post('prune')).toMatchObject({ status: 200, body: { ContainersDeleted: [dead] } });
    expect(await world.get(`${dead}/top`)).toMatchObject({ status: 404 });
    await world.post(`${id}/stop`);
    expect(await world.get(`${id}/top`)).toMatchObject({
      status: 409,
      body: { message: `container ${id} is not running` },
    });
  });
});

describe('namespaces of another container', () => {
  test('network, pid and ipc are shared with one that runs, and with no other', async () => {
    const owner = await world.run({ Cmd: TRAPPING, HostConfig: { IpcMode: 'shareable' } }, 'owner');
    const mode = 'container:owner';
    const HostConfig = { NetworkMode: mode, PidMode: mode, IpcMode: mode };
    const guest = await world.run({ Cmd: TRAPPING, HostConfig });
    const [one, other] = [await world.state(owner), await world.state(guest)];
    for (const kind of ['net', 'pid', 'ipc'])
      expect(world.namespace(other.Pid, kind)).toBe(world.namespace(one.Pid, kind));
    for (const kind of ['mnt', 'uts'])
      expect(world.namespace(other.Pid, kind)).not.toBe(world.namespace(one.Pid, kind));
    expect((await world.inspect(guest)).HostConfig.NetworkMode).toBe(`container:${owner}`);
    await world.post(`${guest}/stop`);
    await world.post(`${owner}/stop`);
    expect(await world.post(`${guest}/start`)).toMatchObject({
      status: 409,
      body: { message: `cannot join network of a non running container: ${owner}` },
    });
  });
});
