import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requires } from '../testing/requires.ts';
import { O_RDONLY, linkAt, mknodAt, symlinkAt, utimensAt } from './at.ts';
import { bytes, fromBuffer, shown } from './byte-string.ts';
import { removeTree, removeTreeAt } from './directory.ts';
import { Rooted } from './rooted.ts';
import { S_IFBLK, S_IFCHR, S_IFIFO } from './stat.ts';
import { getXattr, listXattrs, setXattr } from './xattr.ts';

requires('root');

let directory: string;
let root: Rooted;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rooted-'));
  mkdirSync(join(directory, 'root/inside/deep'), { recursive: true });
  writeFileSync(join(directory, 'outside'), 'of the host');
  writeFileSync(join(directory, 'root/file'), 'in the root');
  root = Rooted.at(join(directory, 'root'));
});
afterEach(() => {
  root.close();
  rmSync(directory, { recursive: true, force: true });
});

const text = (path: string) => root.readFile(bytes(path))?.toString() ?? null;

test('absolute links and ".." lead nowhere but inside', () => {
  symlinkSync('/file', join(directory, 'root/absolute'));
  symlinkSync('../../../../file', join(directory, 'root/inside/upwards'));
  symlinkSync(join(directory, 'outside'), join(directory, 'root/hosts'));
  symlinkSync('..', join(directory, 'root/up'));
  for (const path of [
    'file',
    '/file',
    'absolute',
    'inside/upwards',
    '../../file',
    'inside/deep/../../../file',
    '/up/up/file',
  ])
    expect(text(path)).toBe('in the root');
  for (const path of ['hosts', '../outside', '/up/../outside', `..${directory}/outside`]) expect(text(path)).toBe(null);
  expect(root.lstat(bytes('..'))?.identity).toBe(root.stat(bytes('/'))?.identity);
  expect(root.lstat(bytes('inside/../..'))?.identity).toBe(root.stat(bytes('/'))?.identity);
});

test('links of /proc that lead to open files are refused', () => {
  const system = Rooted.at('/');
  try {
    expect(() => system.open(bytes('/proc/self/root/etc/passwd'), O_RDONLY)).toThrow('ELOOP');
    expect(() => system.open(bytes(`/proc/self/fd/${root.fd}/file`), O_RDONLY)).toThrow('ELOOP');
  } finally {
    system.close();
  }
});

test('files are written inside, through links too, and never to what is no file', () => {
  symlinkSync('/inside/new', join(directory, 'root/to-new'));
  symlinkSync(join(directory, 'outside'), join(directory, 'root/hosts'));
  root.writeFile(bytes('inside/new'), Buffer.from('longer than before'), 0o600);
  root.writeFile(bytes('to-new'), Buffer.from('new'));
  expect(readFileSync(join(directory, 'root/inside/new'), 'utf8')).toBe('new');
  expect(statSync(join(directory, 'root/inside/new')).mode & 0o777).toBe(0o600);
  expect(() => root.writeFile(bytes('hosts'), Buffer.from('bad'))).toThrow('ENOENT');
  expect(() => root.writeFile(bytes('inside'), Buffer.from('bad'))).toThrow('it is not a regular file');
  expect(readFileSync(join(directory, 'outside'), 'utf8')).toBe('of the host');
});

test('reading waits for no fifo, opens no device, and takes no more than asked', () => {
  root.inParent(bytes('inside/x'), (fd) => {
    mknodAt(fd, bytes('fifo'), S_IFIFO | 0o600);
    mknodAt(fd, bytes('null'), S_IFCHR | 0o666, 1, 3);
    mknodAt(fd, bytes('disk'), S_IFBLK | 0o600, 259, 70_000);
  });
  expect([text('inside/fifo'), text('inside/null'), text('inside'), text('missing'), text('file/below')]).toEqual([
    null,
    null,
    null,
    null,
    null,
  ]);
  expect(root.lstat(bytes('inside/disk'))).toMatchObject({ rdevMajor: 259, rdevMinor: 70_000 });
  expect(() => root.readFile(bytes('file'), 5)).toThrow('EFBIG');
});

test('directories are made as far as they lack', () => {
  expect(root.mkdirs(bytes('/a/b/c'), 0o750, 12, 34)).toBe(true);
  expect(root.mkdirs(bytes('a/b/c'))).toBe(false);
  const { mode, uid, gid } = statSync(join(directory, 'root/a/b'));
  expect([mode & 0o7777, uid, gid]).toEqual([0o750, 12, 34]);
  root.mkdirs(bytes('x/../../y'));
  expect(readdirSync(directory).sort()).toEqual(['outside', 'root']);
  expect(() => root.mkdirs(bytes('file/below'))).toThrow();
});

test('names are bytes', () => {
  const name = fromBuffer(Buffer.from([0x66, 0xff, 0xfe, 0xe9]));
  root.writeFile(name, Buffer.from('raw'));
  root.writeFile(bytes('é'), Buffer.from('utf-8'));
  expect(
    readdirSync(join(directory, 'root'), { encoding: 'buffer' }).some((each) =>
      each.equals(Buffer.from(name, 'latin1')),
    ),
  ).toBe(true);
  expect(readFileSync(join(directory, 'root/é'), 'utf8')).toBe('utf-8');
  expect(root.readdir(bytes('/')).map((entry) => entry.name)).toEqual(expect.arrayContaining([name, bytes('é')]));
  expect(shown(bytes('é'))).toBe('é');
});

test('times to the nanosecond, attributes of links, hard links of links', () => {
  root.inParent(bytes('x'), (fd) => {
    symlinkAt(bytes('target'), fd, bytes('link'));
    linkAt(fd, bytes('link'), fd, bytes('same'));
    utimensAt(fd, bytes('link'), { sec: 5, nsec: 6 }, { sec: -2, nsec: 123_456_789 });
    expect(setXattr(fd, bytes('link'), bytes('trusted.note'), Buffer.from([0, 255]))).toBe(null);
    expect(listXattrs(fd, bytes('same'))).toEqual(['trusted.note']);
    expect(getXattr(fd, bytes('same'), bytes('trusted.note'))).toEqual(Buffer.from([0, 255]));
    expect(setXattr(fd, bytes('link'), bytes('user.note'), Buffer.from('x'))).toBe('EPERM');
    expect(getXattr(fd, bytes('link'), bytes('trusted.other'))).toBe(null);
  });
  expect(root.lstat(bytes('link'))).toMatchObject({ links: 2, mtime: { sec: -2, nsec: 123_456_789 } });
});

test('resolve tells where a path leads, as far as there is something', () => {
  symlinkSync('../file', join(directory, 'root/inside/link'));
  symlinkSync('/inside', join(directory, 'root/to-inside'));
  symlinkSync('loop', join(directory, 'root/loop'));
  expect(root.resolve(bytes('/to-inside/link'))).toBe('/file');
  expect(root.resolve(bytes('/to-inside/link'), 'kept')).toBe('/inside/link');
  expect(root.resolve(bytes('/to-inside/missing/../x'))).toBe('/inside/x');
  expect(root.resolve(bytes('../../..'))).toBe('/');
  expect(() => root.resolve(bytes('loop'))).toThrow('ELOOP');
});

test('a tree of any depth is taken away, and nothing that its links lead to', async () => {
  const deep = spawn('sh', [
    '-c',
    `cd ${directory}/root/inside; i=0; while [ $i -lt 1500 ]; do mkdir d; cd -P d; : > f; i=$((i+1)); done`,
  ]);
  await once(deep, 'exit');
  symlinkSync(join(directory), join(directory, 'root/inside/host'));
  const before = readdirSync('/proc/self/fd').length;
  root.inParent(bytes('inside'), (fd, name) => removeTreeAt(fd, name));
  expect(root.lstat(bytes('inside'))).toBe(null);
  await removeTree(join(directory, 'root/file'));
  await removeTree(join(directory, 'root/never'));
  expect(readdirSync(join(directory, 'root'))).toEqual([]);
  expect(readFileSync(join(directory, 'outside'), 'utf8')).toBe('of the host');
  expect(readdirSync('/proc/self/fd').length).toBe(before);
});

test('a process that swaps a directory for a link to the host never leads out', async () => {
  const swap = `cd ${directory}/root; while :; do ln -s ${directory} swap; rm swap; mkdir swap; echo inside > swap/outside; rm -r swap; ln -s .. swap; rm swap; done`;
  const swapper = spawn('sh', ['-c', swap], { stdio: 'ignore' });
  try {
    const seen = new Set<string | null>();
    for (let round = 0; round < 20_000; round += 1) {
      try {
        seen.add(text('swap/outside'));
        if (round % 10 === 0) root.writeFile(bytes('swap/outside'), Buffer.from('inside\n'));
      } catch (error) {
        expect(String(error)).toMatch(/ENOENT|ENOTDIR|ESTALE|EEXIST/);
      }
    }
    expect([...seen].filter((each) => each?.includes('host'))).toEqual([]);
  } finally {
    swapper.kill('SIGKILL');
    await once(swapper, 'exit');
  }
  expect(readFileSync(join(directory, 'outside'), 'utf8')).toBe('of the host');
});

test('the root of a process is what it sees', () => {
  const own = Rooted.ofProcess(process.pid);
  try {
    expect(own.stat(bytes(directory))?.identity).toBe(Rooted.at('/').stat(bytes(directory))?.identity);
    expect(() => Rooted.ofProcess(2 ** 22 + 1)).toThrow('ENOENT');
  } finally {
    own.close();
  }
});
