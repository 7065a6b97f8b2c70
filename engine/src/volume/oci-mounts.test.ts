import { expect, test } from 'vitest';
import type { MountPoint } from '../model/container-config.ts';
import { bindMount, parentsFirst, placedMounts, tmpfsMount, tmpfsMounts } from './oci-mounts.ts';

const point = (Destination: string, more: Partial<MountPoint> = {}): MountPoint => ({
  Type: 'bind',
  Source: '/host',
  Destination,
  Mode: '',
  RW: true,
  Propagation: 'rprivate',
  ...more,
});
const hostConfig = { Binds: null, VolumeDriver: '' };
const options = (one: MountPoint, more: object = {}) => {
  const [placed] = placedMounts([one], { ...hostConfig, ...more });
  return placed === undefined ? null : bindMount(placed, one.Source).options;
};

test('a bind takes what is mounted below along; read-only is so for all of it', () => {
  expect(options(point('/a'))).toEqual(['rbind', 'rw', 'rprivate']);
  expect(options(point('/a', { RW: false, Propagation: 'rslave' }))).toEqual(['rbind', 'ro', 'rro', 'rslave']);
  const asked = (BindOptions: object) => ({ Mounts: [{ Type: 'bind', Source: '/host', Target: '/a', BindOptions }] });
  expect(options(point('/a', { RW: false }), asked({ NonRecursive: true }))).toEqual(['bind', 'ro', 'rprivate']);
  expect(options(point('/a', { RW: false }), asked({ ReadOnlyNonRecursive: true }))).toEqual([
    'rbind',
    'ro',
    'rprivate',
  ]);
});

test('a volume is a bind of its data', () => {
  const volume = point('/data', { Type: 'volume', Name: 'v', Source: '/volumes/v/_data', Propagation: '' });
  expect(bindMount({ point: volume, spec: null }, '/volumes/v/_data/sub')).toEqual({
    destination: '/data',
    type: 'bind',
    source: '/volumes/v/_data/sub',
    options: ['rbind', 'rw', 'rprivate'],
  });
});

test('a tmpfs is noexec, nosuid and nodev unless the user says otherwise', () => {
  expect(tmpfsMount('/t', '').options).toEqual(['noexec', 'nosuid', 'nodev', 'rprivate']);
  expect(tmpfsMount('/t', 'exec,size=64m,mode=1777').options).toEqual([
    'nosuid',
    'nodev',
    'exec',
    'size=64m',
    'mode=1777',
    'rprivate',
  ]);
  for (const word of ['sizes=1', 'upperdir=/etc', 'bind'])
    expect(() => tmpfsMount('/t', word)).toThrow(`Invalid tmpfs option ["${word}"]`);
});

test('both ways to ask for a tmpfs, parents first', () => {
  const mounts = tmpfsMounts({
    ...hostConfig,
    Binds: ['/a:/b'],
    Tmpfs: { '/t/below/deep': 'ro' },
    Mounts: [{ Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1024 } }],
  });
  expect(parentsFirst(mounts).map(({ destination, options: words }) => [destination, words?.join()])).toEqual([
    ['/t', 'noexec,nosuid,nodev,size=1k,rprivate'],
    ['/t/below/deep', 'noexec,nosuid,nodev,ro,rprivate'],
  ]);
});
