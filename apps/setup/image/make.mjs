// Makes the learner's image: a Debian userland from the machine's own apt sources, by mmdebstrap, then trimmed and given
// its own files. The store's folder appears whole or not at all.
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { inputFiles } from '../content-hash.mjs';
import { buildFolder, projectRoot } from '../paths.mjs';
import { SetupError, runTool } from '../tool.mjs';
import { formatDeb822, ownSources, parseDeb822, parseOneLine } from './apt-sources.mjs';
import { folderBytes, imageHash, imageName, readPointer, writePointer } from './store.mjs';

/**
 * @typedef {object} Recipe
 * @property {string[]} packages
 * @property {Record<string, string[]>} manPages section -> names; all others are left out
 * @property {string[]} exclude patterns that dpkg does not unpack (path-exclude, dpkg(1))
 * @property {string[]} empty folders whose content goes
 * @property {string[]} remove
 */

const HERE = join(projectRoot, 'apps/setup/image');
const MERGED_USR = '/usr/share/mmdebstrap/hooks/maybe-merged-usr';

/** @returns {Recipe} */
const readRecipe = () => JSON.parse(readFileSync(join(HERE, 'recipe.json'), 'utf8'));

/** The release this machine runs, as its sources name it: "bookworm". Throws where os-release has none. */
export function releaseCodename() {
  const name = /^VERSION_CODENAME=(.+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1];
  if (name) return name.replaceAll('"', '');
  throw new SetupError(
    'Cannot make the learner’s image: /etc/os-release names no release (VERSION_CODENAME). The image is made from the apt sources of Debian or Ubuntu; docker-free-setup.md says what to do elsewhere.',
  );
}

/** The machine's sources of its own release, as one deb822 text. @param {string} codename @param {string} [folder] */
export function machineSources(codename, folder = '/etc/apt') {
  const list = join(folder, 'sources.list');
  const parts = join(folder, 'sources.list.d');
  const files = [
    ...(existsSync(list) ? [list] : []),
    ...(existsSync(parts)
      ? readdirSync(parts)
          .sort()
          .map((name) => join(parts, name))
      : []),
  ];
  const sources = files.flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    return file.endsWith('.sources') ? parseDeb822(text) : file.endsWith('.list') ? parseOneLine(text) : [];
  });
  const own = ownSources(sources, codename);
  if (own.length > 0) return formatDeb822(own);
  throw new SetupError(
    `Cannot make the learner’s image: no source in ${folder} offers "${codename}" with component "main". Add the distribution’s own source there, run "apt-get update", then start again.`,
  );
}

/** Proxy and certificate settings of the machine's apt: mmdebstrap starts from none of its own. */
async function proxyOptions() {
  const dump = await runTool('apt-config', ['dump']);
  return dump
    .split('\n')
    .filter((line) => /^Acquire::(?:https?|ftp)::.*(?:Proxy|CaInfo|CaPath|Verify)/i.test(line))
    .map((line) => `--aptopt=${line}`);
}

/** @param {Recipe} recipe */
function mmdebstrapArguments(recipe) {
  const man = '/usr/share/man';
  const pages = Object.entries(recipe.manPages).flatMap(([section, names]) =>
    names.map((name) => `${man}/man${section}/${name}.${section}.gz`),
  );
  // dpkg leaves out a folder whose content is excluded even when a file in it is included again: the folders are named too.
  const included = [...Object.keys(recipe.manPages).map((section) => `${man}/man${section}`), ...pages];
  return [
    '--mode=root',
    '--variant=essential',
    '--format=directory',
    ...(existsSync(MERGED_USR) ? [`--hook-dir=${MERGED_USR}`] : []),
    `--include=${recipe.packages.join(',')}`,
    '--aptopt=Apt::Install-Recommends "false"',
    // The folder is thrown away when this is cut short, so nothing needs to reach the disk file by file.
    '--dpkgopt=force-unsafe-io',
    ...[...recipe.exclude, `${man}/*`].map((pattern) => `--dpkgopt=path-exclude=${pattern}`),
    ...included.map((pattern) => `--dpkgopt=path-include=${pattern}`),
  ];
}

/** Copies files/ over the image, with modes that do not depend on the clone's umask. @param {string} rootfs */
function addFiles(rootfs) {
  const from = join(HERE, 'files');
  for (const file of inputFiles(from, ['.'])) {
    const to = join(rootfs, relative(from, file));
    mkdirSync(dirname(to), { recursive: true });
    // A link in the image's place must not lead the copy elsewhere on the host.
    rmSync(to, { force: true });
    copyFileSync(file, to);
    chmodSync(to, statSync(file).mode & 0o100 ? 0o755 : 0o644);
  }
}

/** What dpkg has no switch for. @param {string} rootfs @param {Recipe} recipe */
async function trim(rootfs, recipe) {
  for (const path of recipe.remove) rmSync(join(rootfs, path), { recursive: true, force: true });
  for (const path of recipe.empty) {
    const folder = join(rootfs, path);
    if (existsSync(folder))
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  // dpkg unpacks every link, so most of the pages still there are links to pages that are not.
  for (const [section, names] of Object.entries(recipe.manPages)) {
    const folder = join(rootfs, 'usr/share/man', `man${section}`);
    const kept = new Set(names.map((name) => `${name}.${section}.gz`));
    for (const name of readdirSync(folder)) if (!kept.has(name)) rmSync(join(folder, name));
  }
  addFiles(rootfs);
  // For apropos and whatis.
  await runTool('chroot', [rootfs, 'makewhatis', '/usr/share/man']);
  // Programs ask that it exists; empty means "not set yet" (machine-id(5)), so no two machines share one.
  writeFileSync(join(rootfs, 'etc/machine-id'), '');
}

/**
 * Makes the image unless the one the pointer names is of this recipe. Needs root.
 * @param {import('../paths.mjs').InstancePaths} paths
 * @param {{ note?: (text: string) => void, sources?: string }} [options] `sources`: a deb822 file instead of the machine's own sources
 */
export async function makeImage(paths, options = {}) {
  const codename = options.sources ? firstSuite(options.sources) : releaseCodename();
  const hash = imageHash(codename);
  const present = readPointer(paths.imagePointer);
  if (present?.hash === hash && existsSync(present.rootfs)) return present;
  const recipe = readRecipe();
  const sources = options.sources ? readFileSync(options.sources, 'utf8') : machineSources(codename);

  // setuid programs of the image must not be run by the host's users.
  mkdirSync(paths.images, { recursive: true });
  chmodSync(paths.images, 0o700);
  process.umask(0o022);
  const making = join(paths.images, `.making-${process.pid}`);
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making);
  try {
    const list = join(making, 'image.sources');
    writeFileSync(list, sources);
    const rootfs = join(making, 'rootfs');
    await runTool('mmdebstrap', [...mmdebstrapArguments(recipe), ...(await proxyOptions()), codename, rootfs, list], {
      log: join(buildFolder, 'logs/image.log'),
      onLine: (line) => line.startsWith('I: ') && options.note?.(line.slice(3).replace(/\.+$/, '')),
      advice:
        'Check that "apt-get update" works on this machine (its own apt sources are used) and that the disk has 1 GB free, then run the command again.',
    });
    options.note?.('trimming');
    await trim(rootfs, recipe);
    rmSync(list);
    const home = join(paths.images, imageName(hash));
    rmSync(home, { recursive: true, force: true });
    renameSync(making, home);
    const pointer = {
      rootfs: join(home, 'rootfs'),
      hash,
      builtAt: new Date().toISOString(),
      sizeBytes: folderBytes(join(home, 'rootfs')),
    };
    writePointer(paths.imagePointer, pointer);
    return pointer;
  } finally {
    rmSync(making, { recursive: true, force: true });
  }
}

/** @param {string} file */
function firstSuite(file) {
  const suite = parseDeb822(readFileSync(file, 'utf8'))[0]?.suite;
  if (suite) return suite;
  throw new SetupError(
    `Cannot read apt sources from "${basename(file)}": it has no paragraph with Types, URIs and Suites (sources.list(5), deb822).`,
  );
}
