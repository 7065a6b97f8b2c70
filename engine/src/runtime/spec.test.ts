import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readCreateRequest } from '../api/docker/container-create-schema.ts';
import { CAPABILITIES } from '../model/capabilities.ts';
import type { OciSpec } from '../model/oci-spec.ts';
import { buildSpec, execProcess, type SpecHost } from './spec.ts';
import type { SpecInput } from './spec-input.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'drydock-spec-'));
  for (const layer of ['upper', 'top', 'base']) mkdirSync(join(directory, layer, 'etc'), { recursive: true });
  writeFileSync(join(directory, 'base/etc/passwd'), 'root:x:0:0::/root:/bin/sh\nbase:x:5:5::/home/base:/bin/sh\n');
  writeFileSync(join(directory, 'base/etc/group'), 'root:x:0:\naudio:x:29:base\n');
});
afterAll(() => rmSync(directory, { recursive: true }));

const host: SpecHost = {
  ground: '/run/ground',
  architecture: 'x86_64',
  kernel: '6.18.5',
  capabilities: new Set(CAPABILITIES),
  networkSysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' },
  moreMaskedPaths: [],
};

/** As the docker CLI sends it; `body` is merged in. */
function input(body: { HostConfig?: object } & Record<string, unknown> = {}, more: Partial<SpecInput> = {}): SpecInput {
  const { config, hostConfig } = readCreateRequest({
    Image: 'busybox',
    Hostname: 'web',
    Cmd: ['top'],
    ...body,
  });
  return {
    id: 'c'.repeat(64),
    config,
    hostConfig,
    rootfs: {
      kind: 'overlay',
      lower: [join(directory, 'top'), join(directory, 'base')],
      writable: { upper: join(directory, 'upper'), work: '/none' },
      options: [],
    },
    mounts: [],
    files: { '/etc/hosts': '/state/hosts', '/etc/hostname': '/state/hostname' },
    resources: {},
    cgroupsPath: '/drydock/c',
    joined: {},
    ...more,
  };
}
const spec = (...args: Parameters<typeof input>): OciSpec => buildSpec(input(...args), host);
const hostConfig = (HostConfig: object, more: Partial<SpecInput> = {}) => spec({ HostConfig }, more);
const types = ({ linux }: OciSpec) => linux.namespaces.map(({ type, path }) => (path ? `${type} ${path}` : type));
const destinations = ({ mounts }: OciSpec) => mounts.map(({ destination }) => destination);
const capabilities = (HostConfig: object) => hostConfig(HostConfig).process.capabilities?.bounding ?? [];

test('a container as `docker run` makes it', () => {
  const made = spec({ Entrypoint: ['sh', '-c'], Cmd: ['true'], Env: ['A=1', 'PATH=/mine'], WorkingDir: '/srv' });
  expect(made.process).toMatchObject({
    args: ['sh', '-c', 'true'],
    cwd: '/srv',
    terminal: false,
    user: { uid: 0, gid: 0, additionalGids: [0] },
    env: ['PATH=/mine', 'HOSTNAME=web', 'HOME=/root', 'A=1'],
    oomScoreAdj: 0,
  });
  expect(made.hostname).toBe('web');
  expect(types(made)).toEqual(['mount', 'network', 'uts', 'pid', 'ipc', 'cgroup']);
  expect(destinations(made)).toEqual(
    '/proc /dev /dev/pts /sys /sys/fs/cgroup /dev/mqueue /dev/shm /etc/hosts /etc/hostname'.split(' '),
  );
  expect(made.linux.maskedPaths).toContain('/proc/kcore');
  expect(made.linux.readonlyPaths).toContain('/proc/sys');
  expect(made.linux.seccomp?.defaultAction).toBe('SCMP_ACT_ERRNO');
  expect(made.linux.sysctl).toEqual({ 'net.ipv4.ip_unprivileged_port_start': '0' });
  expect(made.process.capabilities?.bounding).toHaveLength(14);
  expect(made.process.noNewPrivileges).toBeUndefined();
});

test('users are looked up in the layers as an overlay would show them', () => {
  expect(spec({ User: 'base' }).process).toMatchObject({ user: { uid: 5, gid: 5, additionalGids: [5, 29] } });
  expect(spec({ User: 'base' }).process.env).toContain('HOME=/home/base');
  writeFileSync(join(directory, 'top/etc/passwd'), 'top:x:6:6::/home/top:/bin/sh\n');
  expect(spec({ User: 'top' }).process.user.uid).toBe(6);
  expect(() => spec({ User: 'base' })).toThrow('unable to find user base: no matching entries in passwd file');
  // A link of the image stays inside: this one would lead to the host's file.
  rmSync(join(directory, 'top/etc/passwd'));
  symlinkSync('../../../../../etc/elsewhere', join(directory, 'upper/etc/passwd'));
  writeFileSync(join(directory, 'base/etc/elsewhere'), 'linked:x:7:7::/:/bin/sh\n');
  expect(spec({ User: 'linked' }).process.user.uid).toBe(7);
  rmSync(join(directory, 'upper/etc/passwd'));
  symlinkSync('passwd', join(directory, 'upper/etc/passwd'));
  expect(spec({ User: '12' }).process.user.uid).toBe(12);
  rmSync(join(directory, 'upper/etc/passwd'));
});

test.each([
  [{ CapAdd: ['NET_ADMIN', 'cap_sys_time'] }, ['CAP_NET_ADMIN', 'CAP_SYS_TIME', 'CAP_CHOWN'], []],
  [{ CapDrop: ['chown'] }, ['CAP_KILL'], ['CAP_CHOWN']],
  [{ CapDrop: ['ALL'], CapAdd: ['KILL'] }, ['CAP_KILL'], ['CAP_CHOWN', 'CAP_SETUID']],
  [{ CapAdd: ['ALL'], CapDrop: ['SYS_ADMIN'] }, ['CAP_BPF', 'CAP_SYS_BOOT'], ['CAP_SYS_ADMIN']],
  [{ Privileged: true, CapDrop: ['ALL'] }, ['CAP_SYS_ADMIN', 'CAP_CHECKPOINT_RESTORE'], []],
])('capabilities of %j', (asked, has, lacks) => {
  expect(capabilities(asked)).toEqual(expect.arrayContaining(has));
  for (const name of lacks) expect(capabilities(asked)).not.toContain(name);
});

test('--privileged gives the devices, the kernel’s paths and every call', () => {
  const made = hostConfig({ Privileged: true });
  expect([made.linux.maskedPaths, made.linux.readonlyPaths, made.linux.seccomp]).toEqual([[], [], undefined]);
  expect(made.linux.devices?.map(({ path }) => path)).toContain('/dev/null');
  const options = (path: string) => made.mounts.find(({ destination }) => destination === path)?.options;
  expect([options('/sys'), options('/sys/fs/cgroup')].flat()).not.toContain('ro');
});

test.each([
  [{ NetworkMode: 'host', PidMode: 'host', IpcMode: 'host', UTSMode: 'host', CgroupnsMode: 'host' }, ['mount']],
  [
    { NetworkMode: 'container:a', IpcMode: 'container:b', PidMode: 'container:c' },
    ['mount', 'network /proc/1/ns/net', 'uts', 'pid /proc/3/ns/pid', 'ipc /proc/2/ns/ipc', 'cgroup'],
  ],
])('namespaces of %j', (modes, wanted) => {
  const made = hostConfig(modes, { joined: { network: 1, ipc: 2, pid: 3 } });
  expect(types(made)).toEqual(wanted);
  expect(made.linux.sysctl).toEqual({});
});

test('a joined container that does not run is a conflict', () => {
  expect(() => hostConfig({ PidMode: 'container:x' })).toThrow(
    'cannot join pid namespace of a non running container: x',
  );
});

test.each([
  ['none', undefined],
  ['host', '/dev/shm'],
  ['container:b', '/proc/2/root/dev/shm'],
  ['private', 'shm'],
])('/dev/shm with --ipc %s', (IpcMode, source) => {
  const made = hostConfig({ IpcMode, ShmSize: 4096 }, { joined: { ipc: 2 } });
  const shm = made.mounts.find(({ destination }) => destination === '/dev/shm');
  expect(shm?.source).toBe(source);
  if (source === 'shm') expect(shm?.options).toContain('size=4096');
});

test('mounts that were asked for take the place of others', () => {
  const bind = (destination: string) => ({ destination, source: '/x', type: 'bind', options: ['rbind', 'rshared'] });
  const made = hostConfig({}, { mounts: [bind('/dev'), bind('/etc/hosts')] });
  expect(destinations(made)).toEqual(['/proc', '/sys', '/sys/fs/cgroup', '/dev', '/etc/hosts', '/etc/hostname']);
  expect(made.linux.rootfsPropagation).toBe('shared');
});

test('--read-only leaves what does not outlive the container writable', () => {
  const made = hostConfig({ ReadonlyRootfs: true });
  expect(made.root.readonly).toBe(true);
  const writable = made.mounts.filter(({ options }) => !options?.includes('ro')).map(({ destination }) => destination);
  expect(writable).toEqual(['/proc', '/dev', '/dev/pts', '/dev/mqueue', '/dev/shm']);
});

test('security options', () => {
  expect(hostConfig({ SecurityOpt: ['no-new-privileges'] }).process.noNewPrivileges).toBe(true);
  expect(
    hostConfig({ SecurityOpt: ['no-new-privileges:false', 'label=disable', 'apparmor=none'] }).process.noNewPrivileges,
  ).toBe(undefined);
  expect(hostConfig({ SecurityOpt: ['seccomp=unconfined'] }).linux.seccomp).toBe(undefined);
  const profile = {
    defaultAction: 'SCMP_ACT_ALLOW',
    archMap: [{ architecture: 'SCMP_ARCH_X86_64', subArchitectures: ['SCMP_ARCH_X86'] }],
    syscalls: [
      { names: ['chmod'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 },
      { name: 'mount', action: 'SCMP_ACT_KILL', includes: { caps: ['CAP_SYS_ADMIN'] } },
      { names: ['chown'], action: 'SCMP_ACT_KILL', excludes: { arches: ['amd64'] } },
      { names: ['ptrace'], action: 'SCMP_ACT_LOG', includes: { minKernel: '4.8' } },
      { names: ['reboot'], action: 'SCMP_ACT_LOG', includes: { minKernel: '99.1' } },
    ],
  };
  expect(hostConfig({ SecurityOpt: [`seccomp=${JSON.stringify(profile)}`] }).linux.seccomp).toEqual({
    defaultAction: 'SCMP_ACT_ALLOW',
    architectures: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    syscalls: [
      { names: ['chmod'], action: 'SCMP_ACT_ERRNO', errnoRet: 5 },
      { names: ['ptrace'], action: 'SCMP_ACT_LOG' },
    ],
  });
});

test.each([
  [{ CapAdd: ['FLY'] }, 'unknown capability: "CAP_FLY"'],
  [{ SecurityOpt: ['seccomp={'] }, 'Decoding seccomp profile failed'],
  [{ SecurityOpt: ['fast=yes'] }, 'invalid --security-opt: "fast=yes"'],
  [{ Sysctls: { 'kernel.panic': '1' } }, 'sysctl "kernel.panic" is not in a separate kernel namespace'],
  [{ Sysctls: { 'net..x': '1' } }, 'sysctl "net..x" is not in a separate kernel namespace'],
  [{ NetworkMode: 'host', Sysctls: { 'net.ipv4.ip_forward': '1' } }, 'requires a network namespace'],
  [
    { Devices: [{ PathOnHost: '/dev/not-there', PathInContainer: '/dev/x', CgroupPermissions: 'r' }] },
    'adding custom device "/dev/not-there"',
  ],
])('%j is refused', (asked, message) => {
  expect(() => hostConfig(asked)).toThrow(message);
});

test('limits, groups, annotations, a terminal and its size', () => {
  const made = spec({
    Tty: true,
    HostConfig: {
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
      GroupAdd: ['audio', '50'],
      Annotations: { a: 'b' },
      ConsoleSize: [30, 100],
      OomScoreAdj: 5,
      Devices: [{ PathOnHost: '/dev/full', PathInContainer: '/dev/mine', CgroupPermissions: 'r' }],
    },
  });
  expect(made.process).toMatchObject({
    terminal: true,
    consoleSize: { height: 30, width: 100 },
    rlimits: [{ type: 'RLIMIT_NOFILE', soft: 1, hard: 2 }],
    user: { additionalGids: [0, 29, 50] },
    oomScoreAdj: 5,
  });
  expect(made.process.env).toContain('TERM=xterm');
  expect(made.annotations).toEqual({ a: 'b' });
  expect(made.linux.devices).toMatchObject([{ type: 'c', path: '/dev/mine', major: 1, minor: 7 }]);
});

test('an exec is as its container, but for what it asks', () => {
  const made = spec({ Env: ['A=1', 'B=2'], WorkingDir: '/srv' });
  const accounts = { passwd: 'alice:x:9:9::/home/alice:/bin/sh', group: null };
  const request = { args: ['id'], env: ['B=3'], user: '', workingDir: '', tty: false, privileged: false };
  expect(execProcess(made, request, accounts, host)).toMatchObject({ user: { uid: 0 }, cwd: '/srv', args: ['id'] });
  expect(execProcess(made, request, accounts, host).env).toEqual(expect.arrayContaining(['A=1', 'B=3', 'HOME=/root']));
  const other = execProcess(
    made,
    { ...request, user: 'alice', privileged: true, workingDir: '/', tty: true },
    accounts,
    host,
  );
  expect(other).toMatchObject({ user: { uid: 9 }, cwd: '/', terminal: true });
  expect(other.env).toEqual(expect.arrayContaining(['HOME=/home/alice', 'TERM=xterm']));
  expect(other.capabilities?.effective).toContain('CAP_SYS_ADMIN');
});
