import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rooted } from '../kernel/rooted.ts';
import { requires } from '../testing/requires.ts';
import { treeText } from '../testing/tree-text.ts';
import { applyLayer } from './apply-layer.ts';
import { allFiles, layerTar } from './layer-tar.ts';
import type { GraphDriver } from './graph-driver.ts';
import { changesOf } from './layer-changes.ts';
import { OverlayDriver } from './overlay.ts';
import { openRootfs } from './rootfs.ts';
import { tarStream } from './tar-stream.ts';
import { VfsDriver } from './vfs.ts';

requires('root', 'overlay');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'layer-tar-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const shell = (script: string, cwd = directory) =>
  execFileSync('sh', ['-euc', script], { cwd, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

async function bytesOf(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const EVERYTHING = `
  mkdir -p bin "with space" empty $(printf 'n%.0s' $(seq 120))/$(printf 'm%.0s' $(seq 120))
  head -c 300000 /dev/urandom > bin/program; chmod 4755 bin/program; setcap cap_setuid,cap_sys_time=ep bin/program
  cp bin/program bin/other; chmod 2711 bin/other; chown 1000:3000000 bin/other
  ln bin/program bin/second; ln bin/program "with space/third"; ln -s program bin/link; ln bin/link bin/link-too
  : > empty/none; printf 'déjà' > 'empty/é'; printf 'x' > "$(printf 'empty/\\377\\376')"
  ln -s $(printf 'long%.0s' $(seq 50)) dangling; chown -h 77:88 dangling
  mkfifo -m 640 fifo; mknod -m 666 null c 1 3; mknod disk b 259 70000; mkdir -m 1777 tmp
  truncate -s 10M holes; printf 'in the middle' | dd of=holes bs=1 seek=5000000 conv=notrunc status=none
  echo deep > $(printf 'n%.0s' $(seq 120))/$(printf 'm%.0s' $(seq 120))/file
  touch -d '1969-12-31 23:59:58.25 UTC' holes; touch -d '2024-05-06 07:08:09.123456789' bin/program bin tmp
`;

test('GNU tar unpacks a whole tree as it was, and so do we', async () => {
  mkdirSync(join(directory, 'tree'));
  shell(EVERYTHING, join(directory, 'tree'));
  shell('mkdir ours theirs');
  const root = Rooted.at(join(directory, 'tree'));
  const tar = await bytesOf(tarStream(allFiles(root.fd)));
  const again = await bytesOf(tarStream(allFiles(root.fd)));
  root.close();
  expect(createHash('sha256').update(again).digest('hex')).toBe(createHash('sha256').update(tar).digest('hex'));
  writeFileSync(join(directory, 'tree.tar'), tar);
  shell(`tar --xattrs --xattrs-include='*' --numeric-owner -C theirs -xpf tree.tar`);
  const stream = async function* () {
    yield await Promise.resolve(tar);
  };
  await applyLayer(stream(), { directory: join(directory, 'ours'), whiteouts: 'overlay' });
  const lines = (name: string) => treeText(join(directory, name)).filter((line) => !/^d \S+ \S+ - - \S+ $/.test(line));
  expect(lines('theirs')).toEqual(lines('tree'));
  expect(lines('ours')).toEqual(lines('tree'));
  shell('diff -r --no-dereference tree/bin ours/bin; cmp tree/holes ours/holes; cmp tree/holes theirs/holes');
});

test('python reads the archive, too', async () => {
  mkdirSync(join(directory, 'tree'));
  shell(EVERYTHING, join(directory, 'tree'));
  const root = Rooted.at(join(directory, 'tree'));
  writeFileSync(join(directory, 'tree.tar'), await bytesOf(tarStream(allFiles(root.fd))));
  root.close();
  const names = shell(`python3 -c "import tarfile; print(len(tarfile.open('tree.tar').getmembers()))"`).trim();
  expect(Number(names)).toBe(Number(shell('find tree -mindepth 1 | wc -l')));
});

const CHANGES = `
  rm -r gone empty/none; rm -r again; mkdir again; echo new > again/new; rmdir replaced; echo file > replaced; rm to-dir; mkdir to-dir
  chmod 700 bin; echo more >> holes; ln bin/other bin/linked; mkdir -p proc dev/shm new/dir; : > .dockerenv; : > etc/hosts; : > etc/mine
  setcap cap_net_raw=ep bin/other; touch -d 2001-01-01 tmp; chown -h 5:6 dangling; mkdir -p 'with space/deep/er'
`;
const LOWER = `${EVERYTHING} mkdir -p gone/deep again/old replaced etc; : > again/file; : > gone/x; : > again/old/y; : > to-dir`;

test('both drivers tell the same changes, and their layers give the same root file system', async () => {
  mkdirSync(join(directory, 'tree'));
  shell(LOWER, join(directory, 'tree'));
  const root = Rooted.at(join(directory, 'tree'));
  const base = await bytesOf(tarStream(allFiles(root.fd)));
  root.close();
  const streamed = async function* (tar: Buffer) {
    yield await Promise.resolve(tar);
  };
  const drivers: GraphDriver[] = [
    await OverlayDriver.open(join(directory, 'overlay')),
    await VfsDriver.open(join(directory, 'vfs')),
  ];
  const seen = (driver: GraphDriver, id: string) => {
    const opened = openRootfs(driver.mountOf(id), join(directory, 'scratch'));
    const lines = treeText(`/proc/${process.pid}/fd/${opened.fd}/.`, { times: false });
    opened.close();
    return lines.map((line) => line.replace(' user.overlay.opaque=eQ==', ''));
  };
  for (const driver of drivers) {
    await driver.createLayer('base', null, async (layer) => void (await applyLayer(streamed(base), layer)));
    await driver.createWritable('c1', 'base');
    const opened = openRootfs(driver.mountOf('c1'), join(directory, 'scratch'), { write: true });
    shell(CHANGES, `/proc/${process.pid}/fd/${opened.fd}`);
    opened.close();
  }
  const engineMade = / (proc|dev|dev\/shm|\.dockerenv|etc\/hosts)$/;
  const here = seen(drivers[1] as GraphDriver, 'c1').filter((line) => !engineMade.test(line));
  for (const driver of drivers) {
    const tar = await bytesOf(layerTar(driver.differences('c1')));
    for (const other of drivers) {
      const id = `${driver.name}-${other.name}`;
      await other.createLayer(id, 'base', async (layer) => void (await applyLayer(streamed(tar), layer)));
      expect(seen(other, id)).toEqual(here);
    }
    expect(await driver.sizeBytes('base')).toBe(await (drivers[0] as GraphDriver).sizeBytes('base'));
    expect((await changesOf(driver.differences('c1'))).map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      'modified /again',
      'deleted /again/file',
      'added /again/new',
      'deleted /again/old',
      'modified /bin',
      'added /bin/linked',
      'modified /bin/other',
      'modified /dangling',
      'modified /empty',
      'deleted /empty/none',
      'modified /etc',
      'added /etc/mine',
      'deleted /gone',
      'modified /holes',
      'added /new',
      'added /new/dir',
      'modified /replaced',
      'modified /to-dir',
      'modified /with space',
      'added /with space/deep',
      'added /with space/deep/er',
    ]);
  }
});

test('a layer of changes, applied to another store, gives the same root file system', async () => {
  const driver = await OverlayDriver.open(join(directory, 'one'));
  const other = await OverlayDriver.open(join(directory, 'two'));
  const base = async ({ directory: at }: { directory: string }) => {
    shell(LOWER, at);
    await Promise.resolve();
  };
  await driver.createLayer('base', null, base);
  await driver.createWritable('c1', 'base');
  const inRootfs = (script: string) => {
    const root = openRootfs(driver.mountOf('c1'), join(directory, 'scratch'), { write: true });
    shell(script, `/proc/${process.pid}/fd/${root.fd}`);
    root.close();
  };
  inRootfs(CHANGES);
  // The other store's base comes from the first one's archive, so that hard links and times are the same.
  const archive = async (id: string) => {
    const tar = await bytesOf(layerTar(driver.differences(id)));
    return async function* () {
      yield await Promise.resolve(tar);
    };
  };
  const [baseTar, changesTar] = [await archive('base'), await archive('c1')];
  await other.createLayer('base', null, async (layer) => void (await applyLayer(baseTar(), layer)));
  await other.createLayer('changes', 'base', async (layer) => void (await applyLayer(changesTar(), layer)));
  const seen = (store: OverlayDriver, id: string) => {
    const root = openRootfs(store.mountOf(id), join(directory, 'scratch'));
    // Overlay shows this attribute through: it is for overlays that are mounted inside.
    const lines = treeText(`/proc/${process.pid}/fd/${root.fd}/.`).map((line) =>
      line.replace(' user.overlay.opaque=eQ==', ''),
    );
    root.close();
    return lines.filter(
      (line) => !/^d \S+ \S+ - - \S+ $/.test(line) && !/ (proc|dev|dev\/shm|\.dockerenv|etc\/hosts)$/.test(line),
    );
  };
  expect(seen(other, 'changes')).toEqual(seen(driver, 'c1'));
  const names = execFileSync('tar', ['-tf', '-'], {
    input: await bytesOf(layerTar(driver.differences('c1'))),
    encoding: 'utf8',
  });
  expect(names.split('\n')).toEqual(
    expect.arrayContaining([
      '.wh.gone',
      'again/',
      'again/.wh..wh..opq',
      'again/new',
      'empty/.wh.none',
      'etc/',
      'etc/mine',
      'new/dir/',
      'replaced',
      'to-dir/',
    ]),
  );
  expect(names).not.toMatch(/dockerenv|hosts|proc|dev/);
});
