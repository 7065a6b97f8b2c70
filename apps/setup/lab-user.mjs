// The unprivileged user that the lab server runs as: created once, shared by all instances on the machine.
import { readFileSync } from 'node:fs';
import { recordInJournal } from './journal.mjs';
import { findProgram } from './host-packages.mjs';
import { runTool } from './tool.mjs';

export const LAB_USER = 'drydock-lab';

/**
 * uid and gid of a user, from the text of /etc/passwd. Pure.
 * @param {string} passwd @param {string} name
 * @returns {{ uid: number, gid: number } | null}
 */
export function findUser(passwd, name) {
  const fields = passwd
    .split('\n')
    .map((line) => line.split(':'))
    .find(([user]) => user === name);
  return fields ? { uid: Number(fields[2]), gid: Number(fields[3]) } : null;
}

/** The lab's user; creates it where it lacks. @param {string} journal */
export async function ensureLabUser(journal) {
  const present = findUser(readFileSync('/etc/passwd', 'utf8'), LAB_USER);
  if (present) return present;
  recordInJournal(journal, { users: [LAB_USER] });
  const noShell = findProgram('nologin') ?? '/bin/false';
  const args = [
    '--system',
    '--user-group',
    '--no-create-home',
    '--home-dir',
    '/nonexistent',
    '--shell',
    noShell,
    LAB_USER,
  ];
  await runTool(findProgram('useradd') ?? 'useradd', args, {
    advice: 'Create it by hand: useradd --system --user-group drydock-lab.',
  });
  const made = findUser(readFileSync('/etc/passwd', 'utf8'), LAB_USER);
  if (!made) throw new Error(`useradd made no user "${LAB_USER}" in /etc/passwd`);
  return made;
}
