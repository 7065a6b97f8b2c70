import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountOverlayForAMoment } from '../kernel/detached-mount.ts';
import { Rooted } from '../kernel/rooted.ts';
import { bytes } from '../kernel/byte-string.ts';
import { requires } from '../testing/requires.ts';
import type { LayerTarget, RootfsMount } from './graph-driver.ts';
import { changesOf } from './layer-changes.ts';
import { OverlayDriver } from './overlay.ts';
import { overlayOptions } from './overlay-options.ts';
import { openRootfs, readOnlyView } from './rootfs.ts';

requires('root', 'overlay');

/** A script that runs in a layer's directory. */
const filledBy = (script: string) => async (layer: LayerTarget) => {
  execFileSync('sh', ['-euc', script], { cwd: layer.directory });
  await Promise.resolve();
};

describe.each([tmpdir(), '/dev/shm'])('below %s', (parent) => {
  let directory: string;
  let driver: OverlayDriver;
  beforeEach(async () => {
    directory = mkdtempSync(join(parent, 'overlay-driver-'));
    driver = await OverlayDriver.open(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const scratch = () => join(directory, 'scratch');
  /** Runs a script in the root file system, as a process of a container would. */
  const inRootfs = (mount: RootfsMount, script: string, write = true): string => {
    const root = openRootfs(mount, scratch(), { write });
    try {
      return execFileSync('sh', ['-euc', script], { cwd: `/proc/${process.pid}/fd/${root.fd}`, encoding: 'utf8' });
    } finally {
      root.close();
    }
  };
  const diff = async (id: string) =>
    (await changesOf(driver.differences(id))).map(({ kind, path }) => `${kind} ${path}`);
  const mounts = () =>
    readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(directory));

  test('layers are stacked, and a writable one on top keeps what is changed', async () => {
    await driver.createLayer(
      'base',
      null,
      filledBy(
        'mkdir -p etc a/b opaque; echo 1 > etc/conf; echo x > a/b/file; echo y > a/gone; echo z > opaque/hidden',
      ),
    );
    await driver.createLayer('top', 'base', filledBy('mkdir a etc; echo 2 > etc/conf; mknod a/gone c 0 0'));
    await driver.createWritable('c1', 'top');
    expect(inRootfs(driver.mountOf('top'), 'cat etc/conf; ls a', false)).toBe('2\nb\n');
    const mount = driver.mountOf('c1');
    inRootfs(
      mount,
      'echo 3 > etc/conf; rm -r a/b; rm -r opaque; mkdir opaque; echo n > opaque/new; ln -s conf etc/link',
    );
    expect(inRootfs(mount, 'cat etc/conf; ls opaque', false)).toBe('3\nnew\n');
    expect(inRootfs(driver.mountOf('top'), 'cat etc/conf; ls opaque', false)).toBe('2\nhidden\n');
    expect(await diff('c1')).toEqual([
      'modified /a',
      'deleted /a/b',
      'modified /etc',
      'modified /etc/conf',
      'added /etc/link',
      'modified /opaque',
      'deleted /opaque/hidden',
      'added /opaque/new',
    ]);
    expect(await diff('top')).toEqual(['modified /a', 'deleted /a/gone', 'modified /etc', 'modified /etc/conf']);
    expect(await driver.sizeBytes('top')).toBe(2);
    expect(await driver.sizeBytes('c1')).toBe(2 + 2 + 4);
    expect(mounts()).toEqual([]);
  });

  test('what the engine makes for its mounts is no change', async () => {
    await driver.createLayer('base', null, filledBy('mkdir -p etc usr dev; echo 1 > etc/conf; touch usr/file'));
    await driver.createWritable('c1', 'base');
    inRootfs(
      driver.mountOf('c1'),
      'mkdir -p proc sys dev/pts dev/shm; : > .dockerenv; : > etc/hosts; : > etc/resolv.conf; touch etc',
    );
    expect(await diff('c1')).toEqual([]);
    inRootfs(
      driver.mountOf('c1'),
      'mkdir data; : > etc/other; : > dev/mine; touch -d 2001-01-01 usr; echo 127.0.0.1 > etc/hosts',
    );
    expect(await diff('c1')).toEqual([
      'added /data',
      'modified /dev',
      'added /dev/mine',
      'modified /etc',
      'added /etc/hosts',
      'added /etc/other',
    ]);
  });

  test('a writable layer on nothing is an empty root', async () => {
    await driver.createWritable('c1', null);
    inRootfs(driver.mountOf('c1'), '[ -z "$(ls -A)" ]; echo x > file');
    expect(await diff('c1')).toEqual(['added /file']);
  });

  test('a layer that fails to be filled is not there, and leaves nothing', async () => {
    const failing = driver.createLayer('bad', null, async ({ directory: at }) => {
      writeFileSync(join(at, 'half'), 'x');
      await Promise.reject(new Error('the stream broke'));
    });
    await expect(failing).rejects.toThrow('the stream broke');
    expect(driver.hasLayer('bad')).toBe(false);
    expect(['l', 'layers', 'trash'].map((name) => readdirSync(join(directory, name)))).toEqual([[], [], []]);
  });

  test('what a crash left is collected at the next start; what was whole is there', async () => {
    await driver.createLayer('sha256:aa', null, filledBy('echo x > file'));
    await driver.createWritable('c1', 'sha256:aa');
    for (const left of ['l/half', 'writable/.new-1/upper', 'trash/abc/deep', 'scratch/mount-x'])
      mkdirSync(join(directory, left), { recursive: true });
    writeFileSync(join(directory, 'layers/other.json.new'), '{"id":');
    const again = await OverlayDriver.open(directory);
    expect(again.list()).toEqual({ layers: ['sha256:aa'], writable: ['c1'] });
    expect(
      ['l', 'layers', 'writable', 'trash', 'scratch'].map((name) => readdirSync(join(directory, name)).length),
    ).toEqual([1, 1, 1, 0, 0]);
    expect(inRootfs(again.mountOf('c1'), 'cat file')).toBe('x\n');
  });

  test('layers are removed from the top', async () => {
    await driver.createLayer('base', null, filledBy('echo x > file'));
    await driver.createLayer(
      'top',
      'base',
      filledBy('mkdir -p a; cd a; for i in $(seq 300); do mkdir d; cd d; done; : > end'),
    );
    await expect(driver.remove('base')).rejects.toThrow('Cannot remove layer "base": other layers lie on it');
    await driver.createWritable('c1', 'top');
    for (const id of ['c1', 'top', 'base', 'base']) await driver.remove(id);
    expect(driver.list()).toEqual({ layers: [], writable: [] });
    expect(['l', 'layers', 'writable', 'trash'].map((name) => readdirSync(join(directory, name)))).toEqual([
      [],
      [],
      [],
      [],
    ]);
  });

  test('a stack of 124 layers can be mounted, by old kernels’ way too', async () => {
    for (let layer = 0; layer < 124; layer += 1)
      await driver.createLayer(
        `layer-${layer}`,
        layer === 0 ? null : `layer-${layer - 1}`,
        filledBy(`echo ${layer} > top; : > file-${layer}`),
      );
    const mount = driver.mountOf('layer-123');
    expect(inRootfs(mount, 'cat top; ls | wc -l', false)).toBe('123\n125\n');
    if (mount.kind !== 'overlay') throw new Error('no overlay');
    const { directory: near, options } = overlayOptions(mount);
    const place = mkdtempSync(join(directory, 'place-'));
    const steps = `mount -i -t overlay -o ${options} overlay ${place}; cat ${place}/top`;
    expect(execFileSync('unshare', ['--mount', 'sh', '-euc', steps], { cwd: near ?? '/', encoding: 'utf8' })).toBe(
      '123\n',
    );
    const root = new Rooted(mountOverlayForAMoment(readOnlyView(mount), scratch()));
    expect(root.readFile(bytes('/top'))?.toString()).toBe('123\n');
    root.close();
    expect(mounts()).toEqual([]);
    expect(readdirSync(scratch())).toEqual([]);
  });

  test('a volatile mount can follow another', async () => {
    await driver.createWritable('c1', null);
    for (const text of ['one', 'two']) inRootfs(driver.mountOf('c1', { volatile: true }), `echo ${text} > ${text}`);
    expect(inRootfs(driver.mountOf('c1'), 'ls', false)).toBe('one\ntwo\n');
  });

  test.each([false, true])(
    'mounts lie over a root file system at rest; attached for a moment: %s',
    async (attached) => {
      await driver.createLayer(
        'base',
        null,
        filledBy('mkdir -p data var; ln -s /etc/outside var/link; echo lower > data/lower'),
      );
      await driver.createWritable('c1', 'base');
      const volume = join(directory, 'volume');
      mkdirSync(volume);
      writeFileSync(join(directory, 'single'), 'a file');
      const root = openRootfs(driver.mountOf('c1'), scratch(), {
        write: true,
        attached,
        mounts: [
          { destination: '/data', source: volume, readOnly: false },
          { destination: '/made/deep', source: volume, readOnly: true },
          { destination: '/etc/file', source: join(directory, 'single'), readOnly: true },
        ],
      });
      try {
        root.writeFile(bytes('/data/new'), Buffer.from('in the volume'));
        expect(root.readFile(bytes('/made/deep/new'))?.toString()).toBe('in the volume');
        expect(root.readFile(bytes('/etc/file'))?.toString()).toBe('a file');
        expect(() => root.writeFile(bytes('/made/deep/other'), Buffer.from('x'))).toThrow('EROFS');
        expect(root.stat(bytes('/data/lower'))).toBe(null);
      } finally {
        root.close();
      }
      expect(readdirSync(volume)).toEqual(['new']);
      expect(mounts()).toEqual([]);
    },
  );
});

test('a full disk is refused with a sentence and leaves nothing', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'overlay-driver-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'drydock-test', directory]);
  try {
    const driver = await OverlayDriver.open(directory);
    const { applyLayer } = await import('./apply-layer.ts');
    const tar = async function* () {
      const made = execFileSync(
        'sh',
        ['-euc', 'cd "$(mktemp -d)"; head -c 3000000 /dev/urandom > big; tar -cf - big; rm -r "$PWD"'],
        { maxBuffer: 1 << 24 },
      );
      yield await Promise.resolve(made);
    };
    const full = driver.createLayer('full', null, async (layer) => {
      await applyLayer(tar(), layer);
    });
    await expect(full).rejects.toThrow('Cannot unpack "big": no space left on device');
    expect([driver.list(), readdirSync(join(directory, 'l')), readdirSync(join(directory, 'trash'))]).toEqual([
      { layers: [], writable: [] },
      [],
      [],
    ]);
    await driver.createLayer('small', null, filledBy('head -c 1000000 /dev/urandom > fits'));
  } finally {
    execFileSync('umount', [directory]);
    rmSync(directory, { recursive: true });
  }
});
