import { expect, test } from 'vitest';
import type { MountPoint, MountRequest } from '../model/container-config.ts';
import { planMounts } from './mount-plan.ts';
import { parseBind, parseMount, parseTmpfs, parseVolumesFrom } from './mount-spec.ts';

const refused = (message: string) => expect.objectContaining({ kind: 'invalid_argument', message });

test.each([
  ['/home', { type: 'volume', name: '', destination: '/home', copyData: true }],
  ['/with space', { type: 'volume', name: '', destination: '/with space' }],
  ['/a:/b', { type: 'bind', source: '/a', destination: '/b', readOnly: false, propagation: 'rprivate', mode: '' }],
  ['/a/:/b/../c/', { type: 'bind', source: '/a', destination: '/c', createSource: true }],
  ['/rw:/ro', { type: 'bind', source: '/rw', destination: '/ro', readOnly: false }],
  ['/a:/b:ro', { type: 'bind', readOnly: true, mode: 'ro' }],
  ['/a:/b:ro,z,rshared', { type: 'bind', readOnly: true, propagation: 'rshared', mode: 'ro,z,rshared' }],
  ['/a:/b:Z,slave,ro', { type: 'bind', readOnly: true, propagation: 'slave' }],
  ['/a:/b:delegated', { type: 'bind', readOnly: false, propagation: 'rprivate' }],
  ['name:/b', { type: 'volume', name: 'name', destination: '/b', copyData: true, createSource: false }],
  ['name:/b:ro', { type: 'volume', name: 'name', readOnly: true }],
  ['name:/b:nocopy', { type: 'volume', name: 'name', copyData: false }],
  ['local/name:/tmp:rw', { type: 'volume', name: 'local/name', destination: '/tmp' }],
] as const)('-v %s', (raw, expected) => {
  expect(parseBind(raw)).toMatchObject(expected);
});

test('a driver given for all volumes goes to volumes only', () => {
  expect(parseBind('name:/b', 'other').driver).toBe('other');
  expect(parseBind('/a:/b', 'other')).toMatchObject({ type: 'bind', driver: '' });
});

test.each([
  ['', "invalid volume specification: ''"],
  ['/tmp:', "invalid volume specification: '/tmp:'"],
  [':/test', "invalid volume specification: ':/test'"],
  ['::', "invalid volume specification: '::'"],
  ['/a:/b:ro:x', "invalid volume specification: '/a:/b:ro:x'"],
  ['/path:ro', "invalid volume specification: '/path:ro'"],
  ['path:rw', "invalid volume specification: 'path:rw'"],
  ['/path:shared', "invalid volume specification: '/path:shared'"],
  ['/a:/b:sw', 'invalid mode: sw'],
  ['/a:/b:ro,rw', 'invalid mode: ro,rw'],
  ['/a:/b:ro,ro', 'invalid mode: ro,ro'],
  ['/a:/b:ro,rshared,rslave', 'invalid mode: ro,rshared,rslave'],
  [
    '/a:b',
    `invalid volume specification: '/a:b': invalid mount config for type "bind": invalid mount path: 'b' mount path must be absolute`,
  ],
  [
    '../',
    `invalid volume specification: '../': invalid mount config for type "volume": invalid mount path: '../' mount path must be absolute`,
  ],
  [
    '/a:/',
    `invalid volume specification: '/a:/': invalid mount config for type "bind": invalid specification: destination can't be '/'`,
  ],
  [
    'name:/b:shared',
    `invalid volume specification: 'name:/b:shared': invalid mount config for type "volume": field BindOptions must not be specified`,
  ],
  [
    '/a:/b:nocopy',
    `invalid volume specification: '/a:/b:nocopy': invalid mount config for type "bind": field VolumeOptions must not be specified`,
  ],
])('-v %j is refused', (raw, message) => {
  expect(() => parseBind(raw)).toThrow(refused(message));
});

test.each([
  [
    { Type: 'bind', Source: '/a', Target: '/b' },
    { source: '/a', createSource: false, propagation: 'rprivate' },
  ],
  [
    {
      Type: 'bind',
      Source: '/a',
      Target: '/b',
      ReadOnly: true,
      BindOptions: { Propagation: 'rslave', NonRecursive: true },
    },
    { readOnly: true, propagation: 'rslave', nonRecursive: true, readOnlyBelow: 'when-possible' },
  ],
  [
    { Type: 'bind', Source: '/a', Target: '/b', BindOptions: { CreateMountpoint: true, ReadOnlyForceRecursive: true } },
    { createSource: true, readOnlyBelow: 'always' },
  ],
  [
    { Type: 'volume', Target: '/b' },
    { name: '', copyData: true },
  ],
  [
    {
      Type: 'volume',
      Source: 'v',
      Target: '/b',
      VolumeOptions: {
        NoCopy: true,
        Labels: { a: 'b' },
        Subpath: 'x/y',
        DriverConfig: { Name: 'local', Options: { o: 'p' } },
      },
    },
    { name: 'v', copyData: false, labels: { a: 'b' }, subpath: 'x/y', driver: 'local', driverOptions: { o: 'p' } },
  ],
  [
    { Type: 'tmpfs', Target: '/t' },
    { type: 'tmpfs', tmpfs: '' },
  ],
  [
    { Type: 'tmpfs', Target: '/t', ReadOnly: true, TmpfsOptions: { SizeBytes: 2 ** 20, Mode: 0o700 } },
    { tmpfs: 'ro,mode=700,size=1m' },
  ],
  [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1000 } }, { tmpfs: 'size=1000' }],
] as [MountRequest, object][])('--mount %j', (request, expected) => {
  expect(parseMount(request)).toMatchObject(expected);
});

test.each([
  [{ Type: 'bind', Source: '/a', Target: '' }, 'invalid mount config for type "bind": field Target must not be empty'],
  [{ Type: 'bind', Target: '/b' }, 'invalid mount config for type "bind": field Source must not be empty'],
  [
    { Type: 'bind', Source: 'a', Target: '/b' },
    `invalid mount config for type "bind": invalid mount path: 'a' mount path must be absolute`,
  ],
  [
    { Type: 'bind', Source: '/a', Target: '/b', BindOptions: { Propagation: 'odd' } },
    'invalid mount config for type "bind": invalid propagation mode: odd',
  ],
  [
    { Type: 'bind', Source: '/a', Target: '/b', VolumeOptions: {} },
    'invalid mount config for type "bind": field VolumeOptions must not be specified',
  ],
  [
    { Type: 'volume', Target: '/b', ReadOnly: true },
    'invalid mount config for type "volume": must not set ReadOnly mode when using anonymous volumes',
  ],
  [
    { Type: 'volume', Target: '/b', VolumeOptions: { Subpath: 'x' } },
    'invalid mount config for type "volume": must not set Subpath when using anonymous volumes',
  ],
  [
    { Type: 'volume', Source: 'v', Target: '/b', VolumeOptions: { Subpath: 'x/../../y' } },
    'invalid mount config for type "volume": subpath must be a relative path within the volume',
  ],
  [
    { Type: 'tmpfs', Source: 'x', Target: '/b' },
    'invalid mount config for type "tmpfs": field Source must not be specified',
  ],
  [{ Type: 'npipe', Source: 'x', Target: '/b' }, 'invalid mount config for type "npipe": mount type unknown'],
] as [MountRequest, string][])('--mount %j is refused', (request, message) => {
  expect(() => parseMount(request)).toThrow(refused(message));
});

test('--tmpfs and --volumes-from', () => {
  expect(parseTmpfs('/run/', 'size=64m,exec')).toMatchObject({
    type: 'tmpfs',
    destination: '/run',
    tmpfs: 'size=64m,exec',
  });
  expect(() => parseTmpfs('run', '')).toThrow(`'run' mount path must be absolute`);
  expect(parseVolumesFrom('web')).toEqual({ container: 'web', readOnly: false });
  expect(parseVolumesFrom('web:ro,z')).toEqual({ container: 'web', readOnly: true });
  for (const mode of ['shared', 'nocopy', 'odd'])
    expect(() => parseVolumesFrom(`web:${mode}`)).toThrow(refused(`invalid mode: ${mode}`));
  expect(() => parseVolumesFrom('')).toThrow('volumes-from specification cannot be an empty string');
});

const hostConfig = { Binds: null, VolumeDriver: '' };
const point = (Destination: string, RW = true): MountPoint => ({
  Type: 'volume',
  Name: `of${Destination}`,
  Source: '/x',
  Destination,
  Driver: 'local',
  Mode: '',
  RW,
  Propagation: '',
});

test('what is asked for hides what is inherited, and both hide the image’s volumes', () => {
  const plan = planMounts(
    {
      hostConfig: { ...hostConfig, Binds: ['/h:/a'], Tmpfs: { '/t': '' } },
      volumes: { '/a': {}, '/b/': {}, '/c': {}, '/t': {} },
    },
    [
      { readOnly: true, mounts: [point('/a'), point('/b')] },
      { readOnly: false, mounts: [point('/d', false)] },
    ],
  );
  expect(plan.inherited.map(({ Destination, RW }) => [Destination, RW])).toEqual([
    ['/b', false],
    ['/d', false],
  ]);
  expect(plan.specs.map(({ type, destination }) => `${type} ${destination}`)).toEqual(['bind /a', 'volume /c']);
});

test('the same place twice is refused', () => {
  const mounts: MountRequest[] = [{ Type: 'volume', Target: '/a/' }];
  for (const more of [
    { Binds: ['x:/a'], Mounts: mounts },
    { Binds: ['x:/a', '/y:/a'] },
    { Tmpfs: { '/a': '' }, Mounts: mounts },
  ])
    expect(() => planMounts({ hostConfig: { ...hostConfig, ...more }, volumes: null })).toThrow(
      refused('Duplicate mount point: /a'),
    );
});
