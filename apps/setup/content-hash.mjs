// Keys of build steps: a hash over the names and bytes of what goes in. A step runs again only when its key changed.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';

const NOT_INPUT = new Set(['node_modules', '.next', 'generated', 'next-env.d.ts', 'test-results', '.git']);
const TEST = /\.(kernel\.|api\.|guest\.)?test\.tsx?$/;

/**
 * Every input file under these paths (files or folders), sorted; tests and what builds make are left out. A path that
 * does not exist has no files.
 * @param {string} base @param {string[]} paths
 * @returns {string[]}
 */
export function inputFiles(base, paths) {
  /** @type {string[]} */
  const found = [];
  /** @param {string} path */
  const visit = (path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) return;
    if (!stat.isDirectory()) {
      if (!TEST.test(path)) found.push(path);
      return;
    }
    for (const name of readdirSync(path)) if (!NOT_INPUT.has(name)) visit(join(path, name));
  };
  for (const path of paths) visit(join(base, path));
  return found.sort();
}

/**
 * The key of a step: hex SHA-256 over its files (name and bytes) and any further words, such as the Node version.
 * @param {string} base @param {string[]} paths @param {string[]} [words]
 */
export function contentHash(base, paths, words = []) {
  const hash = createHash('sha256');
  for (const word of words) hash.update(`word ${word.length}\0${word}`);
  for (const file of inputFiles(base, paths)) {
    const bytes = readFileSync(file);
    hash.update(`file ${relative(base, file)}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest('hex');
}
