// The npm packages: are they what package-lock.json says, and if not, install exactly those.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildFolder, projectRoot } from './paths.mjs';
import { runTool } from './tool.mjs';

/** @typedef {{ packages: Record<string, { version?: string, integrity?: string, optional?: boolean, peer?: boolean, link?: boolean, optionalDependencies?: Record<string, string> }> }} Lock */

/**
 * True when what npm recorded as installed is what the lock asks for. Optional packages may be absent: those are other
 * platforms' binaries.
 * @param {Lock} wanted package-lock.json @param {Lock} installed node_modules/.package-lock.json
 */
export function lockSatisfied(wanted, installed) {
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (!path.includes('node_modules/')) return true;
    const there = installed.packages[path];
    if (!there) return entry.optional === true;
    return there.version === entry.version && there.integrity === entry.integrity;
  });
}

/**
 * Optional packages that some package asks for and the lock does not have: "npm ci" refuses such a lock. `npm install` writes one where
 * the registry lacks another platform's binary; the entry is then added by hand: version, os, cpu, optional.
 * @param {Lock} lock
 * @returns {string[]}
 */
export function missingFromLock(lock) {
  const there = new Set(
    Object.keys(lock.packages).map((path) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)),
  );
  return Object.values(lock.packages)
    .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
    .filter((name) => !there.has(name));
}

/** @param {string} base @param {string} path @returns {Lock} */
const readLock = (base, path) => JSON.parse(readFileSync(join(base, path), 'utf8'));

/** @param {string} base */
export function dependenciesInstalled(base = projectRoot) {
  try {
    // npm writes the second file last, so an installation that was cut short does not have it.
    return lockSatisfied(readLock(base, 'package-lock.json'), readLock(base, 'node_modules/.package-lock.json'));
  } catch {
    return false;
  }
}

/** @type {import('./steps.mjs').Step} */
export const dependenciesStep = {
  id: 'npm',
  title: 'npm packages',
  key: () => null,
  done: () => dependenciesInstalled(),
  run: async (note) => {
    note(`${Object.keys(readLock(projectRoot, 'package-lock.json').packages).length} in the lock`);
    // No install scripts: none of the packages the lab runs on needs one, and none should run as root.
    await runTool('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: projectRoot,
      log: join(buildFolder, 'logs/npm.log'),
      advice:
        'Check that this machine reaches the npm registry that "npm config get registry" names and that the disk has room, then run the command again.',
    });
  },
};
