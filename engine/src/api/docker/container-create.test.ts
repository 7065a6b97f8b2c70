// What is refused before anything is made, in Docker's words, and what the image adds.
import { expect, test } from 'vitest';
import { readCreateRequest } from './container-create-schema.ts';
import { hostsFile, resolvConf } from '../../model/etc-files.ts';
import { withDefaults } from '../../model/image-defaults.ts';
import { checkPsArguments, tableOf } from '../../model/ps-table.ts';
import { validateConfig } from '../../model/validate-config.ts';

const check = (body: object) => {
  const { config, hostConfig } = readCreateRequest({ Image: 'busybox', ...body });
  return validateConfig(config, hostConfig);
};

test.each([
  [{ WorkingDir: 'tmp' }, "the working directory 'tmp' is invalid, it needs to be an absolute path"],
  [{ Env: ['=x'] }, 'invalid environment variable: =x'],
  [{ StopSignal: 'SIGFOO' }, 'invalid signal: SIGFOO'],
  [{ HostConfig: { AutoRemove: true, RestartPolicy: { Name: 'always' } } }, "can't create 'AutoRemove' container"],
  [{ HostConfig: { ExtraHosts: ['x'] } }, 'bad format for add-host: "x"'],
  [{ HostConfig: { ExtraHosts: ['x:nowhere'] } }, 'invalid IP address in add-host: "nowhere"'],
  [{ HostConfig: { CapAdd: ['FLY'] } }, 'invalid capability: "FLY"'],
  [{ HostConfig: { OomScoreAdj: 1001 } }, 'range for oom score adj is [-1000, 1000]'],
  [{ HostConfig: { ShmSize: -1 } }, 'SHM size can not be less than 0'],
  [{ HostConfig: { LogConfig: { Type: 'asdf' } } }, "logger: no log driver named 'asdf' is registered"],
  [{ HostConfig: { IpcMode: 'ours' } }, 'invalid IPC mode: ours'],
  [{ HostConfig: { PidMode: 'container:' } }, 'invalid PID mode: container:'],
  [{ HostConfig: { UTSMode: 'x' } }, 'invalid UTS mode: x'],
  [{ Hostname: 'a', HostConfig: { UTSMode: 'host' } }, 'conflicting options: hostname and the UTS mode'],
  [{ Hostname: 'a', HostConfig: { NetworkMode: 'container:x' } }, 'conflicting options: hostname and the network mode'],
  [{ HostConfig: { NetworkMode: 'container:x', Dns: ['1.1.1.1'] } }, 'conflicting options: dns and the network mode'],
  [
    { HostConfig: { NetworkMode: 'container:x', PortBindings: { '80/tcp': [{ HostPort: '80' }] } } },
    'conflicting options: port publishing and the container type network mode',
  ],
  [{ Healthcheck: { Test: ['CMD', 'x'], Interval: 1 } }, 'Interval in Healthcheck cannot be less than 1ms'],
  [{ Healthcheck: { Test: ['SHELL', 'x'] } }, 'Unknown healthcheck type: SHELL'],
])('%j is refused', (body, message) => {
  expect(() => check(body)).toThrow(expect.objectContaining({ kind: 'invalid_argument' }));
  expect(() => check(body)).toThrow(message);
});

test('what Docker takes is taken', () => {
  const HostConfig = { CapAdd: ['ALL', 'cap_sys_admin', 'NET_RAW'], ExtraHosts: ['a:1.2.3.4', 'b=::1', 'c:[fe80::1]'] };
  expect(check({ HostConfig, WorkingDir: '/tmp', Env: ['A', 'B='] })).toEqual([]);
  expect(check({ HostConfig: { NetworkMode: 'host', PublishAllPorts: true } })).toEqual([
    'Published ports are discarded when using host network mode',
  ]);
});

test('absent fields and nulls are the same, and have Docker’s defaults', () => {
  const { config, hostConfig } = readCreateRequest({
    Image: 'x',
    Cmd: 'sh',
    Labels: null,
    HostConfig: { Binds: null },
  });
  expect(config).toMatchObject({ Cmd: ['sh'], Entrypoint: null, Labels: {}, Env: [], Hostname: '', Volumes: null });
  expect(hostConfig).toMatchObject({
    NetworkMode: 'bridge',
    IpcMode: 'private',
    ShmSize: 67_108_864,
    LogConfig: { Type: 'json-file', Config: {} },
    Binds: null,
    PortBindings: {},
  });
  expect(readCreateRequest({ Image: 'x', HostConfig: { NetworkMode: 'default' } }).hostConfig.NetworkMode).toBe(
    'bridge',
  );
  expect(() => readCreateRequest(undefined)).toThrow('config cannot be empty in order to create a container');
  expect(() => readCreateRequest({ Image: 'x', Cmd: [1] })).toThrow('Cmd');
});

test('the image fills up what was not said', () => {
  const { config } = readCreateRequest({ Image: 'x', Env: ['A=own'], Labels: { l: 'own' } });
  const image = {
    Cmd: ['serve'],
    Entrypoint: ['/entry'],
    Env: ['A=image', 'B=image'],
    User: 'web',
    WorkingDir: '/srv',
    Labels: { l: 'image', m: 'image' },
    Volumes: { '/data': {} },
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGQUIT',
  };
  expect(withDefaults(config, image)).toMatchObject({
    Cmd: ['serve'],
    Entrypoint: ['/entry'],
    Env: ['A=own', 'B=image'],
    User: 'web',
    WorkingDir: '/srv',
    Labels: { l: 'own', m: 'image' },
    Volumes: { '/data': {} },
    ExposedPorts: { '80/tcp': {} },
    StopSignal: 'SIGQUIT',
  });
  // A command of one's own keeps the image's entry point; an entry point of one's own takes its command away.
  const own = (body: object) => withDefaults(readCreateRequest({ Image: 'x', ...body }).config, image);
  expect(own({ Cmd: ['go'] })).toMatchObject({ Cmd: ['go'], Entrypoint: ['/entry'] });
  expect(own({ Entrypoint: ['sh'] })).toMatchObject({ Cmd: null, Entrypoint: ['sh'] });
  expect(own({ Entrypoint: [''], Cmd: ['go'] })).toMatchObject({ Cmd: ['go'], Entrypoint: null });
  expect(() => withDefaults(config, {})).toThrow('no command specified');
});

test('/etc/hosts and /etc/resolv.conf are as Docker makes them', () => {
  expect(hostsFile(null, ['db:10.0.0.1'])).toBe(
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n' +
      'ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n10.0.0.1\tdb\n',
  );
  expect(hostsFile('127.0.0.1 box', ['a:host-gateway'])).toBe('127.0.0.1 box\n127.0.0.1\ta\n');
  expect(() => hostsFile(null, ['a:host-gateway'])).toThrow('unable to derive the IP value for host-gateway');
  const host = '# made by hand\nnameserver 127.0.0.53\nsearch example.org\noptions edns0\n';
  const dns = { NetworkMode: 'bridge', Dns: [], DnsSearch: [], DnsOptions: [] };
  expect(resolvConf(host, dns)).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\nsearch example.org\noptions edns0\n');
  expect(resolvConf(host, { ...dns, NetworkMode: 'host' })).toBe(
    'nameserver 127.0.0.53\nsearch example.org\noptions edns0\n',
  );
  expect(resolvConf(host, { ...dns, Dns: ['1.1.1.1'], DnsSearch: ['.'], DnsOptions: ['ndots:2'] })).toBe(
    'nameserver 1.1.1.1\noptions ndots:2\n',
  );
});

test('of what ps prints, the container’s processes are kept', () => {
  const output = '  PID USER     COMMAND\n    7 root     sh -c  echo\n    8 ada      top\n\n';
  expect(tableOf(output, new Set([7]))).toEqual({
    Titles: ['PID', 'USER', 'COMMAND'],
    Processes: [['7', 'root', 'sh -c echo']],
  });
  expect(() => tableOf('USER\nroot\n', new Set([7]))).toThrow("Couldn't find PID field in ps output");
  expect(() => checkPsArguments(['-o', 'user=PID'])).toThrow('specifying "user=PID" is not allowed');
  expect(() => checkPsArguments(['-o', 'pid=PID,comm'])).not.toThrow();
});
