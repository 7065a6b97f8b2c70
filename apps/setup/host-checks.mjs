// What must be true of the machine before anything is installed: Linux, root, a processor the lab knows, room.
import { readFileSync, statSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';

const GIB = 2 ** 30;

/**
 * @typedef {object} HostFacts
 * @property {string} platform
 * @property {string} arch
 * @property {number} uid
 * @property {{ path: string, freeBytes: number, neededBytes: number }[]} disks
 * @property {{ path: string, closed: string }[]} hidden folders of the instance below a folder that only its owner may pass
 * @property {number} memoryAvailableBytes
 * @property {number} memoryNeededBytes
 */

/**
 * One sentence for each thing that stands in the way; none when the set-up can begin. Pure.
 * @param {HostFacts} facts
 * @returns {string[]}
 */
export function hostProblems(facts) {
  /** @param {number} bytes */
  const gib = (bytes) => `${(bytes / GIB).toFixed(1)} GiB`;
  const problems = [];
  if (facts.platform !== 'linux') {
    return [
      `Drydock makes containers with the Linux kernel, and this is "${facts.platform}": use a Linux machine or a virtual machine with Linux (docker-free-setup.md).`,
    ];
  }
  if (facts.arch !== 'x64' && facts.arch !== 'arm64') {
    problems.push(
      `Drydock knows the system calls of x86_64 and aarch64, and this processor is "${facts.arch}": use another machine.`,
    );
  }
  if (facts.uid !== 0) {
    problems.push(
      'Drydock needs root to make namespaces, mounts and links, and this is uid ' +
        `${facts.uid}: run it as root ("sudo npm start"). Only the engine stays root; the lab's web server does not.`,
    );
  }
  for (const { path, closed } of facts.hidden) {
    problems.push(
      `Sandboxes can't reach "${path}": they are not root on this host, and only its owner may pass "${closed}". Set DRYDOCK_ROOT and DRYDOCK_RUN to folders elsewhere, or "chmod o+x ${closed}".`,
    );
  }
  for (const { path, freeBytes, neededBytes } of facts.disks) {
    if (freeBytes < neededBytes) {
      problems.push(
        `There is too little room on the disk of "${path}": ${gib(freeBytes)} free, ${gib(neededBytes)} needed. Free some, or set DRYDOCK_ROOT to a folder on a larger disk.`,
      );
    }
  }
  if (facts.memoryAvailableBytes < facts.memoryNeededBytes) {
    problems.push(
      `There is too little memory: ${gib(facts.memoryAvailableBytes)} available, ${gib(facts.memoryNeededBytes)} needed. End other programs or use a larger machine.`,
    );
  }
  return problems;
}

/** Bytes that a process may still write on the disk of `path`, which need not exist yet. @param {string} path @returns {number} */
export function freeBytes(path) {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return path === '/' ? 0 : freeBytes(dirname(path));
  }
}

/**
 * The uppermost folder on the way to `path` that others than its owner may not pass, or null. What does not exist yet will be made passable.
 * @param {string} path @returns {string | null}
 */
export function closedFolder(path) {
  const parts = path.split('/').filter(Boolean);
  for (let length = 1; length < parts.length; length += 1) {
    const folder = `/${parts.slice(0, length).join('/')}`;
    const stat = statSync(folder, { throwIfNoEntry: false });
    if (stat && (stat.mode & 0o001) === 0) return folder;
  }
  return null;
}

/** Memory that new work may take without swapping (proc(5), MemAvailable). */
export function memoryAvailableBytes() {
  const kib = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Number(kib ?? 0) * 1024;
}

/**
 * @param {import('./paths.mjs').InstancePaths} paths @param {string} clone
 * @param {{ installs: boolean, builds: boolean, makesImage: boolean }} work what is still to be done
 * @returns {HostFacts}
 */
export function hostFacts(paths, clone, work) {
  const linux = process.platform === 'linux';
  return {
    platform: process.platform,
    arch: process.arch,
    uid: process.getuid?.() ?? -1,
    disks: linux
      ? [
          {
            path: clone,
            freeBytes: freeBytes(clone),
            neededBytes: work.installs ? 2 * GIB : work.builds ? GIB / 2 : 0,
          },
          { path: paths.root, freeBytes: freeBytes(paths.root), neededBytes: work.makesImage ? 1.5 * GIB : GIB / 4 },
        ]
      : [],
    hidden: [paths.root, paths.run].flatMap((path) => {
      const closed = closedFolder(path);
      return closed === null ? [] : [{ path, closed }];
    }),
    memoryAvailableBytes: linux ? memoryAvailableBytes() : 0,
    memoryNeededBytes: work.builds ? 1.5 * GIB : GIB / 2,
  };
}
