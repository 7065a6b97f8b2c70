// `docker run` and what follows a container to its end, with the docker CLI.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerClient } from '../testing/docker-client.ts';

let docker: DockerClient;
beforeAll(async () => {
  docker = await DockerClient.start();
});
afterAll(() => docker.end());

const NONE = ['--network', 'none'];

describe('run', () => {
  test.each([
    { what: 'success', cmd: ['true'], code: 0 },
    { what: 'its own code', cmd: ['sh', '-c', 'exit 3'], code: 3 },
    { what: 'a program that is not there', cmd: ['no-such-program'], code: 127 },
    { what: 'a directory', cmd: ['/etc'], code: 126 },
    { what: 'a file without the right to run', cmd: ['/etc/passwd'], code: 126 },
  ])('exits with the code of $what: $code', async ({ cmd, code }) => {
    expect((await docker.run(['run', '--rm', ...NONE, 'busybox', ...cmd])).code).toBe(code);
  });

  test('exits with 125 when the engine refuses', async () => {
    const { code, stderr } = await docker.run(['run', '--rm', ...NONE, '--memory', '1m', 'busybox', 'true']);
    expect(stderr).toContain('Minimum memory limit allowed is 6MB');
    expect(code).toBe(125);
  });

  test('keeps output and error apart, and reads input to its end', async () => {
    const script = 'cat; echo problem >&2';
    const { stdout, stderr } = await docker.run(['run', '--rm', '-i', ...NONE, 'busybox', 'sh', '-c', script], {
      input: 'one\ntwo\n',
    });
    expect(stdout).toBe('one\ntwo\n');
    expect(stderr).toBe('problem\n');
  });

  test('passes a megabyte both ways unharmed', async () => {
    const input = 'x'.repeat(2 ** 20);
    const { stdout } = await docker.run(['run', '--rm', '-i', ...NONE, 'busybox', 'cat'], { input });
    expect(stdout.length).toBe(input.length);
    expect(stdout === input).toBe(true);
  });

  test('sets user, directory, environment, host name and entry point', async () => {
    const options = ['-u', '1000:100', '-w', '/var/tmp', '-e', 'GREETING=good day', '--hostname', 'boat'];
    const out = await docker.ok(
      'run',
      '--rm',
      ...NONE,
      ...options,
      '--entrypoint',
      '/bin/sh',
      'busybox',
      '-c',
      'id -u; id -g; pwd; echo $GREETING; hostname; cat /etc/hostname',
    );
    expect(out.split('\n')).toEqual(['1000', '100', '/var/tmp', 'good day', 'boat', 'boat']);
  });

  test('writes /etc/hosts and /etc/resolv.conf', async () => {
    const options = ['--add-host', 'pier:10.1.2.3', '--dns', '192.0.2.53', '--dns-search', 'example.test'];
    const out = await docker.ok('run', '--rm', ...NONE, ...options, 'busybox', 'cat', '/etc/hosts', '/etc/resolv.conf');
    expect(out).toMatch(/^10\.1\.2\.3\s+pier$/m);
    expect(out).toMatch(/^127\.0\.0\.1\s+localhost/m);
    expect(out).toContain('nameserver 192.0.2.53');
    expect(out).toContain('search example.test');
  });

  test('with --init, process 1 is not the command', async () => {
    const out = await docker.ok('run', '--rm', '--init', ...NONE, 'busybox', 'sh', '-c', 'echo $$');
    expect(Number(out)).toBeGreaterThan(1);
  });

  test('keeps the root read-only and tmpfs writable', async () => {
    const options = ['--read-only', '--tmpfs', '/run:size=1m'];
    const { code, stdout, stderr } = await docker.run([
      'run',
      '--rm',
      ...NONE,
      ...options,
      'busybox',
      'sh',
      '-c',
      'echo ok > /run/file && cat /run/file; touch /file',
    ]);
    expect(stdout).toBe('ok\n');
    expect(stderr).toContain('Read-only file system');
    expect(code).not.toBe(0);
  });

  test('gives the capabilities that were asked for and no others', async () => {
    const bits = async (...options: string[]) =>
      BigInt(
        `0x${(await docker.ok('run', '--rm', ...NONE, ...options, 'busybox', 'grep', 'CapEff', '/proc/self/status')).split(/\s+/)[1]}`,
      );
    const usual = 0xa804_25fbn; // Docker's fourteen
    expect(await bits()).toBe(usual);
    expect(await bits('--cap-drop', 'ALL')).toBe(0n);
    expect(await bits('--cap-drop', 'ALL', '--cap-add', 'NET_ADMIN')).toBe(1n << 12n);
  });

  test('has no seccomp hole: unshare is refused, and allowed when unconfined with the capability', async () => {
    const unshare = ['busybox', 'unshare', '-m', 'true'];
    expect((await docker.run(['run', '--rm', ...NONE, ...unshare])).code).not.toBe(0);
    const free = ['--security-opt', 'seccomp=unconfined', '--cap-add', 'SYS_ADMIN'];
    expect((await docker.run(['run', '--rm', ...NONE, ...free, ...unshare])).code).toBe(0);
  });

  test('refuses a name that is in use', async () => {
    const id = await docker.ok('create', '--name', 'twice', 'busybox');
    const { code, stderr } = await docker.run(['create', '--name', 'twice', 'busybox']);
    expect(stderr).toContain(`Conflict. The container name "/twice" is already in use by container "${id}"`);
    expect(code).toBe(1);
    await docker.ok('rm', 'twice');
  });
});

describe('a container in the background', () => {
  test('is followed by its log to its end', async () => {
    await docker.ok(
      'run',
      '-d',
      '--name',
      'counter',
      ...NONE,
      'busybox',
      'sh',
      '-c',
      'for i in 1 2 3; do echo $i; sleep 0.2; done',
    );
    expect(await docker.ok('logs', '-f', 'counter')).toBe('1\n2\n3');
    expect(await docker.ok('wait', 'counter')).toBe('0');
    expect(await docker.ok('logs', '--tail', '1', 'counter')).toBe('3');
    const stamped = (await docker.ok('logs', '--timestamps', 'counter')).split('\n');
    expect(stamped).toHaveLength(3);
    for (const line of stamped) expect(line).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z \d$/);
    const second = stamped[1]?.split(' ')[0] ?? '';
    expect(await docker.ok('logs', '--since', second, 'counter')).toBe('2\n3');
    await docker.ok('rm', 'counter');
  });

  test('is stopped by SIGTERM, and by SIGKILL when it does not listen', async () => {
    const listening = 'trap "exit 7" TERM; while :; do sleep 0.05; done';
    await docker.ok('run', '-d', '--name', 'polite', ...NONE, 'busybox', 'sh', '-c', listening);
    await docker.ok('stop', 'polite');
    expect(await docker.inspect('polite', '{{.State.ExitCode}}')).toBe(7);
    await docker.ok(
      'run',
      '-d',
      '--name',
      'deaf',
      ...NONE,
      'busybox',
      'sh',
      '-c',
      'trap "" TERM; while :; do sleep 0.05; done',
    );
    await docker.ok('stop', '-t', '1', 'deaf');
    expect(await docker.inspect('deaf', '{{.State.ExitCode}}')).toBe(137);
    await docker.ok('rm', 'polite', 'deaf');
  });

  test('takes the signal that kill names', async () => {
    await docker.ok(
      'run',
      '-d',
      '--name',
      'hup',
      ...NONE,
      'busybox',
      'sh',
      '-c',
      'trap "exit 41" HUP; while :; do sleep 0.05; done',
    );
    // The trap is set when the shell has begun its loop.
    await docker.ok('exec', 'hup', 'true');
    await docker.ok('kill', '-s', 'HUP', 'hup');
    expect(await docker.ok('wait', 'hup')).toBe('41');
    const { code, stderr } = await docker.run(['kill', 'hup']);
    expect(stderr).toContain('is not running');
    expect(code).toBe(1);
    await docker.ok('rm', 'hup');
  });

  test('is paused, unpaused, renamed, restarted, started again', async () => {
    await docker.ok('run', '-d', '--name', 'busy', ...NONE, 'busybox', 'sleep', '1000');
    const before = await docker.inspect<number>('busy', '{{.State.Pid}}');
    await docker.ok('pause', 'busy');
    expect(await docker.inspect('busy', '{{json .State.Status}}')).toBe('paused');
    await docker.ok('unpause', 'busy');
    await docker.ok('rename', 'busy', 'busier');
    await docker.ok('restart', '-t', '0', 'busier');
    const after = await docker.inspect<number>('busier', '{{.State.Pid}}');
    expect(after).not.toBe(before);
    await docker.ok('kill', 'busier');
    await docker.ok('start', 'busier');
    expect(await docker.inspect('busier', '{{.State.Running}}')).toBe(true);
    expect((await docker.run(['rm', 'busier'])).stderr).toMatch(/running container|is running/);
    await docker.ok('rm', '-f', 'busier');
  });

  test('is listed by state, name and label', async () => {
    await docker.ok('run', '-d', '--name', 'lane-1', '--label', 'lane=1', ...NONE, 'busybox', 'sleep', '1000');
    await docker.ok('create', '--name', 'lane-2', '--label', 'lane=2', 'busybox');
    const names = async (...filters: string[]) =>
      (await docker.ok('ps', '-a', '--format', '{{.Names}}', ...filters.flatMap((filter) => ['--filter', filter])))
        .split('\n')
        .filter(Boolean)
        .sort();
    expect(await names('label=lane')).toEqual(['lane-1', 'lane-2']);
    expect(await names('label=lane=2')).toEqual(['lane-2']);
    expect(await names('name=lane-', 'status=running')).toEqual(['lane-1']);
    expect(await names('name=lane-', 'status=created', 'status=running')).toEqual(['lane-1', 'lane-2']);
    expect(await docker.ok('ps', '--filter', 'name=lane-', '--format', '{{.Image}} {{.Command}} {{.Status}}')).toMatch(
      /^busybox "sleep 1000" Up /,
    );
    await docker.ok('rm', '-f', 'lane-1', 'lane-2');
  });

  test('is inspected as it was asked for', async () => {
    const options = ['-m', '64m', '--cpus', '0.5', '--pids-limit', '33', '--restart', 'on-failure:2', '-e', 'A=b'];
    await docker.ok('create', '--name', 'asked', '--tty', ...options, 'busybox', 'sleep', '9');
    expect(await docker.inspect('asked')).toMatchObject({
      Name: '/asked',
      Path: 'sleep',
      Args: ['9'],
      State: { Status: 'created', Running: false, ExitCode: 0, Pid: 0 },
      Config: { Tty: true, Cmd: ['sleep', '9'], Image: 'busybox', Env: expect.arrayContaining(['A=b']) },
      HostConfig: {
        Memory: 64 * 2 ** 20,
        NanoCpus: 5e8,
        PidsLimit: 33,
        RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 },
      },
    });
    await docker.ok('rm', 'asked');
  });

  test('is gone with --rm, its exit code still told', async () => {
    await docker.ok('run', '-d', '--rm', '--name', 'brief', ...NONE, 'busybox', 'sh', '-c', 'sleep 0.5; exit 9');
    expect(await docker.ok('wait', 'brief')).toBe('9');
    expect((await docker.run(['inspect', 'brief'])).stderr.toLowerCase()).toContain('no such');
  });

  test('comes back by its restart policy, as often as that says', async () => {
    await docker.ok(
      'run',
      '-d',
      '--name',
      'again',
      '--restart',
      'on-failure:2',
      ...NONE,
      'busybox',
      'sh',
      '-c',
      'echo run; exit 1',
    );
    const { stdout } = await docker.run(['logs', '-f', 'again'], { until: (text) => text.split('run').length > 3 });
    expect(stdout).toContain('run');
    await expect.poll(() => docker.inspect('again', '{{.RestartCount}}'), { timeout: 20_000 }).toBe(2);
    await expect.poll(() => docker.inspect('again', '{{.State.Running}}'), { timeout: 20_000 }).toBe(false);
    await docker.ok('rm', '-f', 'again');
  });
});
