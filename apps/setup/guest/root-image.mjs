// The guest's root file system: an ext4 image of the machine's own programs and their libraries, and the kernel's modules.
// Made when one of them changed; the tests are not in it (they come with the initramfs).
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findProgram } from '../host-packages.mjs';
import { projectRoot } from '../paths.mjs';
import { runTool } from '../tool.mjs';

/** What tests may call; everything else is busybox, but not sh: busybox's takes its own ip and mount before those of PATH. */
const PROGRAMS =
  'sh bash ip tc ss bridge nft iptables unshare nsenter setpriv mount umount losetup mkfs.ext4 mke2fs strace ping tcpdump'.split(
    ' ',
  );

/** Packages with native parts, which esbuild can't bundle. */
const PACKAGES = ['koffi', '@koromix/koffi-linux-x64'];

const FOLDERS = 'proc sys dev tmp run root var/lib var/log etc mnt home usr/lib/modules tests'.split(' ');

/**
 * @param {string} cache @param {{ version: string, modules: string }} kernel
 * @returns {Promise<string>} path of the image
 */
export async function rootImage(cache, kernel) {
  const files = guestFiles();
  const key = keyOf(files, kernel.version);
  const image = join(cache, `root-${key}.img`);
  if (existsSync(image)) return image;
  for (const old of readdirSync(cache)) if (/^root-.*\.img/.test(old)) rmSync(join(cache, old));
  const stage = join(cache, 'stage');
  rmSync(stage, { recursive: true, force: true });
  fill(stage, files, kernel);
  const partial = `${image}.partial`;
  // No journal, no lazy parts: the guest mounts it read-only. 700 MiB hold it all; the file is sparse.
  await runTool('mke2fs', ['-q', '-t', 'ext4', '-O', '^has_journal', '-d', stage, partial, '700M']);
  renameSync(partial, image);
  rmSync(stage, { recursive: true, force: true });
  return image;
}

/** Programs and the libraries the loader would open for them. @returns {string[]} */
function guestFiles() {
  const programs = PROGRAMS.map((name) => findProgram(name)).filter((path) => path !== null);
  const native = PACKAGES.flatMap((name) => {
    const folder = join(projectRoot, 'node_modules', name, 'linux_x64');
    return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  });
  const all = [process.execPath, ...programs, ...native];
  const libraries = all.flatMap((path) =>
    [
      ...execFileSync('sh', ['-c', 'ldd "$0" 2>/dev/null || true', path], { encoding: 'utf8' }).matchAll(
        /(\/\S+) \(0x/g,
      ),
    ].map((match) => match[1] ?? ''),
  );
  return [...new Set([process.execPath, ...programs, ...libraries, ...xtables()])].filter((path) => path !== '');
}

/** iptables loads its matches and targets by name. */
function xtables() {
  const folder = '/usr/lib/x86_64-linux-gnu/xtables';
  return existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
}

/** @param {string[]} files @param {string} version */
function keyOf(files, version) {
  const hash = createHash('sha256')
    .update(version)
    .update(readFileSync(import.meta.filename));
  const native = PACKAGES.map((name) => join(projectRoot, 'node_modules', name, 'package.json')).filter(existsSync);
  for (const path of [...files, findProgram('busybox') ?? '', ...native].sort()) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${path} ${size} ${Math.trunc(mtimeMs)}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}

/** @param {string} stage @param {string[]} files @param {{ version: string, modules: string }} kernel */
function fill(stage, files, kernel) {
  for (const folder of ['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', ...FOLDERS])
    mkdirSync(join(stage, folder), { recursive: true });
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) symlinkSync(`usr/${folder}`, join(stage, folder));
  for (const path of files) place(stage, path, path === process.execPath ? '/usr/bin/node' : path);
  const busybox = findProgram('busybox') ?? '';
  place(stage, busybox, '/usr/bin/busybox');
  for (const applet of execFileSync(busybox, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    const taken = ['bin', 'sbin'].some((folder) => existsSync(join(stage, 'usr', folder, applet)));
    if (!taken) symlinkSync('/usr/bin/busybox', join(stage, 'usr/bin', applet));
  }
  // The kernel asks this path for modules it misses (/proc/sys/kernel/modprobe).
  if (!existsSync(join(stage, 'usr/sbin/modprobe'))) symlinkSync('/usr/bin/busybox', join(stage, 'usr/sbin/modprobe'));
  cpSync(kernel.modules, join(stage, 'usr/lib/modules', kernel.version), { recursive: true });
  for (const name of PACKAGES) {
    const folder = join(projectRoot, 'node_modules', name);
    if (existsSync(folder)) cpSync(folder, join(stage, 'node_modules', name), { recursive: true });
  }
  writeFileSync(join(stage, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n');
  writeFileSync(join(stage, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
}

/** Copies what a path leads to, through symbolic links, to where it is looked for; /lib/… is /usr/lib/… here. @param {string} stage @param {string} from @param {string} to */
function place(stage, from, to) {
  const inside = to.replace(/^\/(bin|sbin|lib|lib64)\//, '/usr/$1/');
  mkdirSync(join(stage, dirname(inside)), { recursive: true });
  const target = join(stage, inside);
  if (!existsSync(target)) copyFileSync(realpathSync(from), target);
  // `iptables` is one program of many names: the link's name is kept, and so is where it leads.
  const real = join(dirname(inside), basename(realpathSync(from)));
  if (real !== inside && !existsSync(join(stage, real))) symlinkSync(basename(inside), join(stage, real));
}
