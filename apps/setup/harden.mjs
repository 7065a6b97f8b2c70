// `npm start -- --harden`: sets the kernel settings that a class of strangers needs, says what it changes, and records what was before.
import { writeFileSync } from 'node:fs';
import { recordInJournal } from './journal.mjs';

export const SYSCTL_FILE = '/etc/sysctl.d/60-drydock.conf';

/** @typedef {import('../../engine/src/kernel/probe.ts').Sysctl} Sysctl */

/** Those that are not as they should be and that the set-up may set. @param {Sysctl[]} sysctls */
export function settable(sysctls) {
  return sysctls.flatMap(({ key, present, met, value, why }) =>
    met || value === null || present === null ? [] : [{ key, present, value, why }],
  );
}

/**
 * The file that sets them at each boot (sysctl.d(5)).
 * @param {{ key: string, value: string, why: string }[]} changes
 */
export function sysctlFile(changes) {
  const lines = changes.flatMap(({ key, value, why }) => [`# ${why}`, `${key} = ${value}`]);
  return [
    '# Written by Drydock’s set-up; "npm run uninstall" removes it and sets back what was before.',
    ...lines,
    '',
  ].join('\n');
}

/**
 * Sets them now and at each boot.
 * @param {Sysctl[]} sysctls @param {string} journal @param {(text: string) => void} say
 */
export function harden(sysctls, journal, say) {
  const changes = settable(sysctls);
  if (changes.length === 0) {
    say('This host’s kernel settings are as the lab wants them: nothing is changed.');
    return;
  }
  say('These kernel settings are changed; "npm run uninstall" sets them back:');
  for (const { key, present, value, why } of changes) say(`  ${key}: ${present} -> ${value}  (${why})`);
  recordInJournal(journal, {
    files: [SYSCTL_FILE],
    sysctls: Object.fromEntries(changes.map(({ key, present }) => [key, present])),
  });
  // What an earlier --harden set is met now; the file must go on saying all of it.
  const all = sysctls.flatMap(({ key, value, why, present, met }) =>
    value === null || present === null ? [] : [{ key, value: met ? present : value, why }],
  );
  writeFileSync(SYSCTL_FILE, sysctlFile(all));
  for (const { key, value } of changes) writeSysctl(key, value);
}

/** @param {string} key @param {string} value */
export function writeSysctl(key, value) {
  writeFileSync(`/proc/sys/${key.replaceAll('.', '/')}`, value);
}
