import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Events } from '../container/events.ts';
import type { RootfsMount } from '../image/graph-driver.ts';
import { linux } from '../kernel/linux.ts';
import type { HostConfig, MountPoint } from '../model/container-config.ts';
import { freshLaunch } from '../testing/launch.ts';
import { requires } from '../testing/requires.ts';
import { copyIn } from './copy-in.ts';
import { planMounts } from './mount-plan.ts';
import { VolumeAttachments, isMountPoint } from './volume-attachments.ts';
import { VolumeStore } from './volume-store.ts';
import { Volumes } from './volumes.ts';

requires('overlay');
freshLaunch();

let directory: string;
let rootfs: RootfsMount;
let events: Events;
const warnings: string[] = [];

const open = (): Volumes => {
  const store = new VolumeStore(join(directory, 'volumes'), (message) => warnings.push(message));
  const attachments = new VolumeAttachments(linux, join(directory, 'subpaths'), (name) => store.dataPath(name));
  return new Volumes(store, events, attachments, (...args) => copyIn(linux, join(directory, 'copies'), ...args));
};
const asked = (Binds: string[], volumes: Record<string, object> | null = null) =>
  planMounts({ hostConfig: { Binds, VolumeDriver: '' }, volumes });
const shell = (script: string) => execFileSync('sh', ['-ec', script], { cwd: directory, encoding: 'utf8' });

beforeEach(() => {
  // On tmpfs: trusted.* attributes and device nodes work there, whatever the disk is.
  directory = mkdtempSync('/dev/shm/drydock-volumes-');
  shell(`
    mkdir -p low/data/deep up work top
    echo one > low/data/file; ln low/data/file low/data/hard; ln -s /etc/passwd low/data/link
    chown 33:34 low/data low/data/deep; chmod 2750 low/data; touch -d @1000000000 low/data/file
    mkdir -p top/etc; echo kept > top/etc/conf; ln -s /data top/alias; ln -s ../../../../data top/climbing`);
  rootfs = {
    kind: 'overlay',
    lower: [join(directory, 'top'), join(directory, 'low')],
    writable: { upper: join(directory, 'up'), work: join(directory, 'work') },
    options: [],
  };
  events = new Events();
});
afterEach(() => {
  // Whatever a failed test left mounted: below this test's own directory only.
  shell(`grep -o '${directory}[^ ]*' /proc/self/mountinfo | sort -u | while read -r path; do umount -l "$path"; done`);
  rmSync(directory, { recursive: true, force: true });
});

test('a new volume gets what the image has at its place: owner, mode, times, links', async () => {
  const volumes = open();
  const [point] = await volumes.acquire('c1', asked(['web:/data']), rootfs);
  expect(point).toMatchObject({
    Type: 'volume',
    Name: 'web',
    Driver: 'local',
    Destination: '/data',
    RW: true,
    Mode: '',
  });
  const data = point?.Source ?? '';
  expect(data).toBe(join(directory, 'volumes/web/_data'));
  expect(readdirSync(data).sort()).toEqual(['deep', 'file', 'hard', 'link']);
  expect(statSync(data)).toMatchObject({ uid: 33, gid: 34, mode: 0o42750 });
  expect(statSync(join(data, 'file'))).toMatchObject({ nlink: 2, mtimeMs: 1e12 });
  expect(statSync(join(data, 'file')).ino).toBe(statSync(join(data, 'hard')).ino);
  expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(directory);
  expect(events.recent().map(({ Type, Action, Actor }) => `${Type} ${Action} ${Actor.ID}`)).toEqual([
    'volume create web',
  ]);
});

test('a volume that holds something, nocopy, and a place the image does not have get nothing', async () => {
  const volumes = open();
  volumes.create({ name: 'full' });
  writeFileSync(join(volumes.mountpoint('full'), 'mine'), '');
  await volumes.acquire('c1', asked(['full:/data', 'not:/data2:nocopy', 'none:/nowhere']), rootfs);
  await volumes.acquire('c2', asked(['not:/data:nocopy']), rootfs);
  expect(readdirSync(volumes.mountpoint('full'))).toEqual(['mine']);
  expect(readdirSync(volumes.mountpoint('not'))).toEqual([]);
  expect(readdirSync(volumes.mountpoint('none'))).toEqual([]);
});

test('links of the image lead inside the image, never into the host', async () => {
  const volumes = open();
  await volumes.acquire('c1', asked(['one:/alias', 'two:/climbing']), rootfs);
  for (const name of ['one', 'two']) expect(readdirSync(volumes.mountpoint(name))).toContain('hard');
});

test('over a file of the image no volume is mounted, and nothing that was made for it is left', async () => {
  const volumes = open();
  const failed = volumes.acquire('c1', asked(['new:/data', 'other:/etc/conf'], { '/x': {} }), rootfs);
  await expect(failed).rejects.toThrow('cannot mount volume over existing file, file exists /etc/conf');
  expect(volumes.list()).toEqual([]);
  expect(readdirSync(join(directory, 'volumes'))).toEqual([]);
});

test('a volume in use is not removed; anonymous ones go with their container', async () => {
  const volumes = open();
  const points = await volumes.acquire('c1', asked(['web:/data'], { '/anon': {} }), rootfs);
  volumes.adopt('c2', points);
  const anonymous = points[1]?.Name ?? '';
  expect(anonymous).toMatch(/^[0-9a-f]{64}$/);
  await expect(volumes.remove('web')).rejects.toMatchObject({
    kind: 'conflict',
    message: 'remove web: volume is in use - [c1, c2]',
  });
  await volumes.releaseAndRemove('c1', points);
  expect(
    volumes
      .list()
      .map(({ name }) => name)
      .sort(),
  ).toEqual([anonymous, 'web'].sort());
  await volumes.releaseAndRemove('c2', points);
  expect(volumes.list().map(({ name }) => name)).toEqual(['web']);
  await volumes.remove('web');
  expect(readdirSync(join(directory, 'volumes'))).toEqual([]);
  await expect(volumes.remove('web')).rejects.toMatchObject({ kind: 'not_found', message: 'get web: no such volume' });
  await volumes.remove('web', true);
});

test('prune takes what nobody uses: the anonymous, or all', async () => {
  const volumes = open();
  const [used] = await volumes.acquire('c1', asked([], { '/data': {} }), rootfs);
  const anonymous = volumes.create({});
  writeFileSync(join(volumes.mountpoint(anonymous.name), 'bytes'), 'x'.repeat(1000));
  volumes.create({ name: 'named', labels: { keep: '1' } });
  expect(await volumes.prune(false, () => true)).toEqual({ names: [anonymous.name], bytes: 1000 });
  expect(await volumes.prune(true, ({ labels }) => labels?.['keep'] === undefined)).toEqual({ names: [], bytes: 0 });
  expect(await volumes.prune(true, () => true)).toEqual({ names: ['named'], bytes: 0 });
  expect(volumes.list().map(({ name }) => name)).toEqual([used?.Name]);
});

test('volumes outlive the daemon; what it left half-made or half-removed is collected', () => {
  const first = open();
  const mounted = first.create({ name: 'mem', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } });
  const made = first.create({ name: 'web', labels: { a: 'b' }, options: {} });
  mkdirSync(join(directory, 'volumes/.new-half/_data'), { recursive: true });
  mkdirSync(join(directory, 'volumes/.gone-1-old'));
  mkdirSync(join(directory, 'volumes/foreign'));
  const second = open();
  expect(second.list()).toEqual([mounted, made]);
  expect(second.find('web')).toMatchObject({ labels: { a: 'b' }, options: null });
  expect(readdirSync(join(directory, 'volumes')).sort()).toEqual(['foreign', 'mem', 'web']);
  expect(warnings.at(-1)).toContain('Cannot read volume "foreign"');
  expect(existsSync(second.mountpoint('web'))).toBe(true);
  expect(second.create({ name: 'web', labels: { other: '1' } })).toEqual(made);
});

test.each([
  [{ name: 'a' }, 'create a: volume name is too short, names should be at least two alphanumeric characters'],
  [{ name: '../up' }, 'create ../up: "../up" includes invalid characters for a local volume name'],
  [{ name: '.new-x' }, 'includes invalid characters'],
  [{ name: 'ok', driver: 'odd' }, 'create ok: error looking up volume plugin odd: plugin "odd" not found'],
  [{ name: 'ok', options: { x: '1' } }, 'create ok: invalid option: "x"'],
  [{ name: 'ok', options: { type: 'tmpfs' } }, 'create ok: missing required option: "device"'],
])('%j is refused', (ask, message) => {
  const volumes = open();
  expect(() => volumes.create(ask)).toThrow(message);
  expect(volumes.list()).toEqual([]);
});

const ran = (id: string, mounts: readonly MountPoint[], more: Partial<HostConfig> = {}) => ({
  id,
  mounts,
  hostConfig: { Binds: null, VolumeDriver: '', ...more },
});

test('a volume with mount options is mounted while somebody runs with it, once for all of them', async () => {
  const volumes = open();
  volumes.create({ name: 'mem', options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,nosuid,mode=700' } });
  const points = await volumes.acquire('c1', asked(['mem:/data']), rootfs);
  volumes.adopt('c2', points);
  const path = volumes.mountpoint('mem');
  expect(isMountPoint(path)).toBe(false);
  await volumes.attach(ran('c1', points));
  await volumes.attach(ran('c2', points));
  expect(readFileSync('/proc/self/mounts', 'utf8')).toContain(
    `tmpfs ${path} tmpfs rw,nosuid,relatime,size=1024k,mode=700`,
  );
  expect(volumes.mountsOf(ran('c1', points))).toEqual([
    { destination: '/data', type: 'bind', source: path, options: ['rbind', 'rw', 'rprivate'] },
  ]);
  writeFileSync(join(path, 'shared'), '');
  await volumes.detach('c1');
  expect(readdirSync(path)).toEqual(['shared']);
  await volumes.detach('c2');
  expect(isMountPoint(path)).toBe(false);
});

test('a directory bound as a volume is filled from the image, kept, and never deleted with the volume', async () => {
  const volumes = open();
  const host = join(directory, 'host');
  mkdirSync(host);
  volumes.create({ name: 'bound', options: { type: 'none', device: host, o: 'bind' } });
  volumes.create({ name: 'read', options: { type: 'none', device: host, o: 'bind,ro' } });
  const points = await volumes.acquire('c1', asked(['bound:/data', 'read:/r:nocopy']), rootfs);
  expect(readdirSync(host)).toContain('file');
  await volumes.attach(ran('c1', points));
  expect(() => writeFileSync(join(volumes.mountpoint('read'), 'x'), '')).toThrow('EROFS');
  volumes.release('c1');
  // A daemon that forgot who runs must not take the user's files for the volume's.
  await expect(volumes.remove('bound')).rejects.toMatchObject({
    kind: 'conflict',
    message: expect.stringContaining('still mounted'),
  });
  const after = open();
  await after.collect(() => false);
  expect(isMountPoint(after.mountpoint('bound'))).toBe(false);
  await after.remove('bound');
  await after.remove('read');
  expect(readdirSync(host)).toContain('file');
});

test('what can’t be mounted says so, and leaves nothing', async () => {
  const volumes = open();
  volumes.create({ name: 'bad', options: { type: 'nofs', device: 'x', o: 'a=b' } });
  await expect(volumes.acquire('c1', asked(['bad:/data']), rootfs)).rejects.toMatchObject({
    message: `error while mounting volume '${volumes.mountpoint('bad')}': failed to mount local volume: mount x:${volumes.mountpoint('bad')}, type: nofs, options: a=b: ENODEV`,
  });
  await volumes.remove('bad');
});

test('a subpath is bound to a place of its own; no link leads it out of its volume', async () => {
  const volumes = open();
  volumes.create({ name: 'web' });
  const data = volumes.mountpoint('web');
  shell(
    `mkdir -p ${data}/a/b; echo in > ${data}/a/b/file; echo f > ${data}/single; ln -s /etc ${data}/out; ln -s a ${data}/in`,
  );
  const mount = (Target: string, Subpath: string) => ({
    Type: 'volume' as const,
    Source: 'web',
    Target,
    VolumeOptions: { Subpath },
  });
  const start = async (id: string, ...Mounts: ReturnType<typeof mount>[]) => {
    const hostConfig = { Binds: null, VolumeDriver: '', Mounts };
    const points = await volumes.acquire(id, planMounts({ hostConfig, volumes: null }), rootfs);
    await volumes.attach(ran(id, points, { Mounts }));
    return volumes.mountsOf(ran(id, points, { Mounts })).map(({ source }) => source ?? '');
  };
  const [inner = '', single = ''] = await start('c1', mount('/x', 'in/b'), mount('/y', 'single'));
  expect(readFileSync(join(inner, 'file'), 'utf8')).toBe('in\n');
  expect(readFileSync(single, 'utf8')).toBe('f\n');
  for (const [id, subpath] of [
    ['c2', 'out/passwd'],
    ['c3', 'nope'],
  ] as const)
    await expect(start(id, mount('/x', subpath))).rejects.toThrow(
      `cannot access path ${join(data, subpath)}: no such file or directory`,
    );
  await volumes.detach('c1');
  expect(existsSync(join(directory, 'subpaths/c1'))).toBe(false);
  expect(readFileSync(join(data, 'a/b/file'), 'utf8')).toBe('in\n');
});
