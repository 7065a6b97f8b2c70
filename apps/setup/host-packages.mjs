// The distribution's packages that the lab is built and run with: which are missing, why each is wanted, and their installation on Debian and Ubuntu.
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFolder } from './paths.mjs';
import { SetupError, runTool } from './tool.mjs';

/**
 * @typedef {object} HostPackage
 * @property {string} name as Debian calls it
 * @property {string} why
 * @property {string[]} programs any of them absent: the package is missing
 * @property {string[]} [files] any of them absent: likewise
 */

/** @type {HostPackage[]} */
export const HOST_PACKAGES = [
  { name: 'gcc', why: 'compiles engine/native/launch.c, the small program that makes a container', programs: ['cc'] },
  { name: 'linux-libc-dev', why: 'the kernel’s own header files', programs: [], files: ['/usr/include/linux/sched.h'] },
  { name: 'mmdebstrap', why: 'makes the learner’s image', programs: ['mmdebstrap'] },
  { name: 'e2fsprogs', why: 'makes a disk for each learner', programs: ['mkfs.ext4'] },
  { name: 'mount', why: 'gives the lab server its own view of the files', programs: ['mount', 'umount'] },
  {
    name: 'util-linux',
    why: 'starts the lab server without privileges',
    programs: ['unshare', 'setpriv', 'pivot_root'],
  },
  { name: 'passwd', why: 'creates the lab server’s user', programs: ['useradd', 'userdel'] },
];

const FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Where a program is: PATH first, then the usual folders (a plain user's PATH lacks sbin). @param {string} program @returns {string | null} */
export function findProgram(program) {
  const folders = [...(process.env['PATH'] ?? '').split(':').filter(Boolean), ...FOLDERS];
  for (const folder of folders) {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return join(folder, program);
    } catch {
      // Not in this folder: the next one.
    }
  }
  return null;
}

/** @param {(program: string) => boolean} [has] @param {(file: string) => boolean} [exists] */
export function missingPackages(has = (program) => findProgram(program) !== null, exists = existsSync) {
  return HOST_PACKAGES.filter(({ programs, files = [] }) => !programs.every(has) || !files.every(exists));
}

/** True on Debian, Ubuntu and what descends from them. */
export function hasApt() {
  return findProgram('apt-get') !== null && existsSync('/etc/apt');
}

/** Other names of the same packages. @type {Record<string, { install: string, names: Record<string, string> }>} */
const ELSEWHERE = {
  fedora: {
    install: 'dnf install',
    names: {
      'linux-libc-dev': 'kernel-headers',
      mount: 'util-linux',
      passwd: 'shadow-utils',
    },
  },
  arch: {
    install: 'pacman -S',
    names: { 'linux-libc-dev': 'linux-api-headers', mount: 'util-linux', passwd: 'shadow' },
  },
};

/**
 * The command that installs these packages on a distribution that is not Debian's, or null where it is not known. Pure.
 * @param {string} osRelease text of /etc/os-release @param {string[]} packages Debian's names
 */
export function installCommand(osRelease, packages) {
  const ids = /^ID=(.*)$/m.exec(osRelease)?.[1] ?? '';
  const like = /^ID_LIKE=(.*)$/m.exec(osRelease)?.[1] ?? '';
  const words = `${ids} ${like}`.replaceAll('"', '').split(/\s+/);
  const found = Object.entries(ELSEWHERE).find(([id]) => words.includes(id))?.[1];
  if (!found) return null;
  const names = new Set(packages.flatMap((name) => (found.names[name] ?? name).split(' ')));
  return `${found.install} ${[...names].join(' ')}`;
}

/**
 * Installs with apt-get. Elsewhere throws SetupError with the command a person has to run.
 * @param {HostPackage[]} packages @param {(text: string) => void} note
 */
export async function installPackages(packages, note) {
  const names = packages.map(({ name }) => name);
  if (!hasApt()) {
    const command = installCommand(readFileSync('/etc/os-release', 'utf8'), names);
    throw new SetupError(
      `Cannot install ${names.join(', ')}: this machine has no apt-get, and the set-up installs packages only on Debian and Ubuntu. ${
        command ? `Run: ${command}` : 'Install what your distribution calls them'
      }; then start again. docker-free-setup.md says more.`,
    );
  }
  const options = {
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    log: join(buildFolder, 'logs/apt.log'),
    advice:
      'Check that "apt-get update" works on this machine and that no other installation is under way, then run the command again.',
    /** @param {string} line */
    onLine: (line) => note(line.slice(0, 60)),
  };
  await runTool('apt-get', ['update'], options);
  await runTool('apt-get', ['install', '-y', '--no-install-recommends', ...names], options);
}
