// What the set-up did to this host, so that `npm run uninstall` can take it back: one JSON file under DRYDOCK_ROOT.
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SetupError } from './tool.mjs';

/**
 * @typedef {object} Journal
 * @property {1} version
 * @property {string[]} packages Debian packages that were not there before
 * @property {Record<string, string>} sysctls setting -> value before
 * @property {string[]} users
 * @property {string[]} files written outside DRYDOCK_ROOT
 * @property {string[]} units systemd units installed
 */

/** @returns {Journal} */
export const emptyJournal = () => ({ version: 1, packages: [], sysctls: {}, users: [], files: [], units: [] });

/**
 * What is recorded so far; nothing where the file is absent.
 * @param {string} file @returns {Journal}
 */
export function readJournal(file) {
  if (!existsSync(file)) return emptyJournal();
  try {
    return { ...emptyJournal(), ...JSON.parse(readFileSync(file, 'utf8')) };
  } catch {
    throw new SetupError(
      `Cannot read the set-up's journal "${file}": it is damaged. It says what to undo on this host; repair it, or remove it and undo by hand what docker-free-setup.md lists.`,
    );
  }
}

/**
 * Adds to the journal before the host is changed: a change that is recorded and then fails is undone as if it had been made.
 * What was recorded first stays: a second set-up must not take the first one's value for the host's own.
 * @param {string} file @param {Partial<Omit<Journal, 'version'>>} more
 */
export function recordInJournal(file, more) {
  const before = readJournal(file);
  /** @param {string[]} known @param {string[] | undefined} added */
  const union = (known, added = []) => [...new Set([...known, ...added])];
  /** @type {Journal} */
  const after = {
    version: 1,
    packages: union(before.packages, more.packages),
    sysctls: { ...more.sysctls, ...before.sysctls },
    users: union(before.users, more.users),
    files: union(before.files, more.files),
    units: union(before.units, more.units),
  };
  writeJournal(file, after);
}

/** @param {string} file @param {Journal} journal */
export function writeJournal(file, journal) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, `${JSON.stringify(journal, null, 2)}\n`, { flush: true });
  renameSync(`${file}.new`, file);
}
