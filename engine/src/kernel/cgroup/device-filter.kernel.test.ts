// Device programs on the machine's v2 tree: the kernel asks them whichever hierarchies its controllers are on.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DOCKER_DEVICES, RUNTIME_DEVICES, parseDeviceRule } from '../../model/default-devices.ts';
import type { OciDeviceRule } from '../../model/oci-spec.ts';
import { GroupProcesses, printed } from '../../testing/group-processes.ts';
import { requires } from '../../testing/requires.ts';
import { detectCgroups } from './detect.ts';
import { boundDevices } from './device-filter.ts';
import { reached, removeGroup } from './files.ts';

requires('root', 'cgroup', 'cgroup-v2');

const group = join(detectCgroups().unified ?? '', `drydock-devices-${process.pid}`);
const node = join(tmpdir(), `drydock-devices-${process.pid}`);
const processes = new GroupProcesses();

beforeEach(() => mkdirSync(group));
afterEach(async () => {
  processes.end();
  await reached(5000, () => removeGroup(join(group, 'below')) && removeGroup(group));
});

const run = async (command: string, ...below: string[]) =>
  (await printed(processes.runIn([join(group, ...below, 'cgroup.procs')], `exec 2>&1; ${command}`))).text;

test('what is on the list opens, what is not does not, not even for root; any node can be made', async () => {
  boundDevices(group, [...DOCKER_DEVICES, parseDeviceRule('c 1:11 r'), ...RUNTIME_DEVICES]);
  const text = await run(
    `echo x > /dev/null && echo null; head -c 0 /dev/kmsg && echo log; true > /dev/kmsg || echo read-only
    mknod ${node} c 1 1 && echo made; true < ${node} || echo no; rm ${node}`,
  );
  expect(text).toMatch(/^null\nlog\n.*Operation not permitted\nread-only\nmade\n.*Operation not permitted\nno\n$/);
});

test('all but one: what is denied does not open, the rest does', async () => {
  boundDevices(group, [
    { allow: true, access: 'rwm' },
    { allow: false, type: 'c', major: 1, minor: 5, access: 'r' },
  ]);
  expect(
    await run('head -c 0 /dev/kmsg && echo log; true > /dev/zero && echo written; true < /dev/zero || echo no'),
  ).toMatch(/^log\nwritten\n.*Operation not permitted\nno\n$/);
});

test('a group below can be bounded further, and not less', async () => {
  boundDevices(group, [parseDeviceRule('c 1:3 rw'), parseDeviceRule('c 1:5 rw')]);
  mkdirSync(join(group, 'below'));
  boundDevices(join(group, 'below'), [parseDeviceRule('c 1:3 rw'), parseDeviceRule('c 1:8 rw')]);
  const opened = 'for one in null zero random; do { true < /dev/$one; } 2> /dev/null && echo $one; done';
  expect(await run(opened, 'below')).toBe('null\n');
});

test('programs are shared, and no more of them stay loaded than are used again', () => {
  const programs = () =>
    execFileSync('sh', ['-c', `ls -l /proc/${process.pid}/fd`], { encoding: 'utf8' }).split('bpf-prog').length - 1;
  const rules = (minor: number): OciDeviceRule[] => [{ allow: true, type: 'c', major: 10, minor }];
  const bound = (minor: number) => {
    boundDevices(group, rules(minor));
    rmdirSync(group);
    mkdirSync(group);
  };
  bound(0);
  const before = programs();
  for (let time = 0; time < 3; time += 1) bound(0);
  expect(programs()).toBe(before);
  for (let minor = 1; minor < 50; minor += 1) bound(minor);
  expect(programs()).toBe(16);
});

test('a group that is gone, and one that is none, are told', () => {
  expect(() => boundDevices(tmpdir(), DOCKER_DEVICES)).toThrow(
    /^Cannot bound devices on cgroup v2: the program was not attached \(\/.*: E\w+\): .*--privileged asks for that\.$/,
  );
});
