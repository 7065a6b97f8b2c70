import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requires } from '../testing/requires.ts';
import { treeText } from '../testing/tree-text.ts';
import { applyLayer } from './apply-layer.ts';

requires('root');

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'apply-layer-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const shell = (script: string) =>
  execFileSync('sh', ['-euc', script], { cwd: directory, stdio: ['ignore', 'pipe', 'pipe'], encoding: 'utf8' });

/** A tree with everything a layer can hold, in `tree/`. */
function everything(): void {
  shell(`
    mkdir tree; cd tree
    mkdir -p bin "with space" empty deep/$(printf 'n%.0s' $(seq 120))/$(printf 'm%.0s' $(seq 120))
    head -c 300000 /dev/urandom > bin/program; chmod 4755 bin/program
    setcap cap_setuid,cap_net_raw,cap_sys_time=ep bin/program
    cp bin/program bin/setgid; chmod 2711 bin/setgid; chown 1000:2000 bin/setgid
    ln bin/program bin/second; ln bin/program "with space/third"
    : > empty/none; printf 'déjà' > 'empty/é'; printf 'x' > "$(printf 'empty/\\377\\376')"
    ln -s ../bin/program empty/link; ln -s /etc/passwd empty/absolute; ln -s nowhere empty/dangling
    chown -h 77:88 empty/link; touch -h -d '2001-02-03 04:05:06.789' empty/link
    mkfifo -m 640 fifo; mknod -m 666 null c 1 3; mknod -m 600 disk b 259 70000
    mkdir -m 1777 tmp; chown 123456:70000 tmp
    truncate -s 10M holes; printf 'in the middle' | dd of=holes bs=1 seek=5000000 conv=notrunc status=none
    truncate -s 200000 zeros; head -c 70000 /dev/zero > written-zeros; printf end >> written-zeros
    echo file > deep/$(printf 'n%.0s' $(seq 120))/$(printf 'm%.0s' $(seq 120))/$(printf 'f%.0s' $(seq 200))
    touch -d '1969-12-31 23:59:58.25 UTC' zeros; touch -d '2024-05-06 07:08:09.123456789' bin/program bin tmp
    touch -d '2000-01-01' "with space" .
  `);
  execFileSync('python3', [
    '-c',
    `import os,sys; os.setxattr(sys.argv[1]+'/bin','user.note',b'\\x00\\xff value'); os.setxattr(sys.argv[1]+'/bin/setgid','user.empty',b'')`,
    join(directory, 'tree'),
  ]);
}

async function apply(tar: string, name = 'ours', chunkBytes = 65536) {
  const target = join(directory, name);
  mkdirSync(target, { recursive: true });
  const stream = createReadStream(join(directory, tar), { highWaterMark: chunkBytes });
  return applyLayer(stream, { directory: target, whiteouts: 'overlay' });
}

const FORMATS = {
  'PAX with extended attributes': '--format=posix --xattrs --xattrs-include=*',
  'GNU, long names and base-256 numbers': '--format=gnu',
  'sparse, old GNU format': '--format=gnu --sparse',
  'sparse 0.0': '--format=posix --sparse --sparse-version=0.0 --xattrs --xattrs-include=*',
  'sparse 0.1': '--format=posix --sparse --sparse-version=0.1',
  'sparse 1.0': '--format=posix --sparse --sparse-version=1.0 --xattrs --xattrs-include=*',
};

for (const [what, options] of Object.entries(FORMATS))
  test(`unpacks what GNU tar unpacks: ${what}`, async () => {
    everything();
    shell(`tar ${options} -C tree -cf layer.tar .`);
    shell(`mkdir theirs; tar --xattrs --xattrs-include='*' --numeric-owner -C theirs -xpf layer.tar`);
    const applied = await apply('layer.tar');
    expect(treeText(join(directory, 'ours'))).toEqual(treeText(join(directory, 'theirs')));
    shell(
      'diff -r --no-dereference ours/bin theirs/bin; cmp ours/holes theirs/holes; cmp ours/written-zeros theirs/written-zeros',
    );
    const layer = readFileSync(join(directory, 'layer.tar'));
    expect(applied.diffId).toBe(`sha256:${createHash('sha256').update(layer).digest('hex')}`);
    expect(applied.tarBytes).toBe(layer.length);
    expect(applied.skipped).toEqual([]);
    // Holes stay holes, and zeros become some.
    expect(statSync(join(directory, 'ours/holes')).blocks * 512).toBeLessThan(200_000);
    expect(statSync(join(directory, 'ours/zeros')).blocks * 512).toBeLessThan(20_000);
  });

test('the size of the pieces that the stream comes in makes no difference', async () => {
  everything();
  shell(`tar --format=posix --sparse --sparse-version=1.0 --xattrs --xattrs-include='*' -C tree -cf layer.tar .`);
  await apply('layer.tar', 'whole', 1 << 26);
  await apply('layer.tar', 'odd', 777);
  expect(treeText(join(directory, 'odd'))).toEqual(treeText(join(directory, 'whole')));
});

test('whiteouts take overlay’s form, whatever their order', async () => {
  shell(`
    mkdir -p tree/gone tree/again/new tree/opaque/kept; cd tree
    : > .wh.deleted; : > again/.wh.file; : > .wh.again; : > opaque/.wh..wh..opq; : > .wh..wh.plnk; : > deep-.wh.name
    mkdir -p a/b; : > a/b/.wh.c; : > .wh.filedir; echo x > filedir
    tar --format=ustar -cf ../layer.tar .wh.again again opaque/kept opaque/.wh..wh..opq .wh.deleted .wh..wh.plnk deep-.wh.name a/b/.wh.c filedir .wh.filedir
    tar --format=ustar --append -f ../layer.tar .wh.again
  `);
  await apply('layer.tar');
  const lines = treeText(join(directory, 'ours'), { times: false }).map((line) =>
    line.replace(/^(\S) \S+ \S+ \S+ \S+ - /, '$1 '),
  );
  const opaque = 'trusted.overlay.opaque=eQ== user.overlay.opaque=eQ==';
  expect(lines).toEqual([
    'c a/b/c',
    'c again/file',
    'c deleted',
    'd ',
    'd a',
    'd a/b',
    `d again ${opaque}`,
    'd again/new',
    `d opaque ${opaque}`,
    'd opaque/kept',
    'f deep-.wh.name',
    'f filedir',
  ]);
});

test('whiteouts take files away where the layer lies on a copy of its parent, but never the layer’s own', async () => {
  const target = join(directory, 'copy');
  shell(`
    mkdir -p copy/again/old copy/opaque/old copy/keep; : > copy/deleted; : > copy/opaque/file; : > copy/keep/me; : > copy/to-directory
    mkdir -p tree/again/new tree/opaque/kept tree/to-directory; cd tree
    : > .wh.deleted; : > .wh.again; : > opaque/.wh..wh..opq; : > to-directory/x; echo new > same; : > .wh.same
    tar --format=ustar -cf ../layer.tar again opaque/kept opaque/.wh..wh..opq .wh.again .wh.deleted to-directory same .wh.same
  `);
  await applyLayer(createReadStream(join(directory, 'layer.tar')), { directory: target, whiteouts: 'removed' });
  expect(shell('cd copy; find . | sort').trim().split('\n')).toEqual([
    '.',
    './again',
    './again/new',
    './keep',
    './keep/me',
    './opaque',
    './opaque/kept',
    './same',
    './to-directory',
    './to-directory/x',
  ]);
});

test('entries that escape, or lead astray, are refused with a sentence', async () => {
  writeFileSync(join(directory, 'outside'), 'safe');
  const make = (transform: string, type = 'echo bad > evil') =>
    shell(`rm -rf t; mkdir t; cd t; ${type}; tar -P --format=posix --transform='${transform}' -cf ../layer.tar evil`);
  make('s,evil,../evil,');
  await expect(apply('layer.tar')).rejects.toThrow('Cannot unpack "../evil": it leads out of the root directory');
  make('s,evil,a/../../evil,');
  await expect(apply('layer.tar')).rejects.toThrow('it leads out of the root directory');
  make('s,evil,.wh...,');
  await expect(apply('layer.tar')).rejects.toThrow('a whiteout must name what it hides');
  // Absolute names, and links upwards, stay inside.
  make('s,evil,/absolute/../file,');
  await apply('layer.tar', 'inside');
  expect(readFileSync(join(directory, 'inside/file'), 'utf8')).toBe('bad\n');
  shell(`rm -rf t; mkdir t; cd t; ln -s ../../../../.. up; ln -s ${directory} host; mkdir x; echo bad > x/outside
    tar -P --format=posix -cf ../layer.tar up host; tar -P --format=posix --append -f ../layer.tar --transform='s,x,up,' x/outside`);
  await apply('layer.tar', 'links');
  expect(readFileSync(join(directory, 'links/outside'), 'utf8')).toBe('bad\n');
  expect(readFileSync(join(directory, 'outside'), 'utf8')).toBe('safe');
  shell(`rm -rf t; mkdir t; cd t; ln -s ${directory} host; mkdir x; echo bad > x/outside
    tar -P --format=posix -cf ../layer.tar host; tar -P --format=posix --append -f ../layer.tar --transform='s,x,host,' x/outside`);
  await expect(apply('layer.tar', 'links2')).rejects.toThrow('EEXIST');
  expect(readFileSync(join(directory, 'outside'), 'utf8')).toBe('safe');
  shell(
    `rm -rf t; mkdir t; cd t; echo x > a; ln a b; tar -P --format=posix --transform='s,^a$,../outside,h' -cf ../layer.tar b a`,
  );
  shell(`cd t; tar -P --format=posix -cf ../layer.tar --transform='flags=h;s,^.*$,../outside,' a b`);
  await expect(apply('layer.tar', 'hard')).rejects.toThrow('leads out of the root directory');
  shell(`cd t; tar -P --format=posix -cf ../layer.tar --transform='flags=h;s,^.*$,missing,' a b`);
  await expect(apply('layer.tar', 'hard')).rejects.toThrow(
    'Cannot unpack "b": it is a hard link to "missing", which the archive has not brought',
  );
});

test('overlay’s own attributes are never taken from an archive', async () => {
  shell('mkdir -p tree/d; echo x > tree/d/f');
  execFileSync('python3', [
    '-c',
    `import os,sys
for n in ('trusted.overlay.redirect','trusted.overlay.metacopy','user.overlay.opaque','trusted.other'): os.setxattr(sys.argv[1],n,b'/etc')`,
    join(directory, 'tree/d'),
  ]);
  shell(`tar --format=posix --xattrs --xattrs-include='*' -C tree -cf layer.tar .`);
  await apply('layer.tar');
  const line = treeText(join(directory, 'ours')).find((text) => / d /.test(`${text} `)) as string;
  expect(line.split(' ').slice(7)).toEqual(['trusted.other=L2V0Yw==']);
});

test('bounds on entries and bytes are kept', async () => {
  shell('mkdir tree; for i in $(seq 20); do head -c 10000 /dev/urandom > tree/$i; done; tar -C tree -cf layer.tar .');
  const limited = (limits: object) =>
    applyLayer(
      createReadStream(join(directory, 'layer.tar')),
      { directory: join(directory, 'ours'), whiteouts: 'overlay' },
      limits,
    );
  mkdirSync(join(directory, 'ours'));
  await expect(limited({ entries: 20 })).rejects.toThrow('the archive has more than 20 entries');
  await expect(limited({ bytes: 100_000 })).rejects.toThrow('more than the 100000 bytes there is room for');
  await limited({ entries: 21, bytes: 200_000 });
});

test('an archive that is cut off, damaged, empty or no tar is refused', async () => {
  shell('mkdir tree; head -c 5000 /dev/urandom > tree/file; tar -C tree -cf layer.tar .');
  shell('head -c 3000 layer.tar > cut.tar; : > empty.tar; head -c 5000 /dev/urandom > noise.tar; gzip -k layer.tar');
  await expect(apply('cut.tar')).rejects.toThrow('Cannot read the tar archive: it ends too early');
  await expect(apply('empty.tar')).rejects.toThrow('it is empty');
  await expect(apply('noise.tar')).rejects.toThrow('Cannot read the tar archive');
  await expect(apply('layer.tar.gz')).rejects.toThrow('Cannot read the tar archive');
});
