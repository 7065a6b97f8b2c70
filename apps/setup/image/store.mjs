// The learner's image as a folder under $DRYDOCK_ROOT/images: its key, the pointer file the daemon reads, collection of
// what nobody uses any more. Knows nothing of how the folder is filled.
import { readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contentHash } from '../content-hash.mjs';
import { projectRoot } from '../paths.mjs';

/** @typedef {{ rootfs: string, hash: string, builtAt: string, sizeBytes: number }} ImagePointer */

/**
 * The key of the image: recipe, files, the code that makes it, the release and the machine's architecture.
 * @param {string} codename
 */
export function imageHash(codename) {
  return contentHash(
    join(projectRoot, 'apps/setup/image'),
    ['recipe.json', 'files', 'make.mjs'],
    [codename, process.arch],
  ).slice(0, 16);
}

/** @param {string} hash */
export const imageName = (hash) => `learner-${hash}`;

/** What images/learner.json says, or null where there is none that can be read. @param {string} file @returns {ImagePointer | null} */
export function readPointer(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return null;
  }
}

/** Replaces the pointer in one step, so that a reader finds the old or the new one. @param {string} file @param {ImagePointer} pointer */
export function writePointer(file, pointer) {
  writeFileSync(`${file}.new`, `${JSON.stringify(pointer, null, 2)}\n`, { flush: true });
  renameSync(`${file}.new`, file);
}

/** Bytes that the files below a folder take; a file with several names counts once. @param {string} folder */
export function folderBytes(folder) {
  const counted = new Set();
  let bytes = 0;
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const { ino, nlink, size } = statSync(join(entry.parentPath, entry.name));
    if (nlink > 1 && counted.has(ino)) continue;
    counted.add(ino);
    bytes += size;
  }
  return bytes;
}

/**
 * Removes images other than `current`, and what a build that was cut short left. Only while no sandbox runs: a mounted overlay needs its lower layer.
 * @param {string} images folder @param {string} current hash
 * @returns {string[]} names removed
 */
export function collectImages(images, current) {
  const unused = readdirSync(images).filter((name) => {
    if (name.startsWith('.making-')) return !processLives(Number(name.slice('.making-'.length)));
    return name.startsWith('learner-') && name !== imageName(current);
  });
  for (const name of unused) rmSync(join(images, name), { recursive: true, force: true });
  return unused;
}

/** @param {number} pid */
function processLives(pid) {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false }) !== undefined;
}
