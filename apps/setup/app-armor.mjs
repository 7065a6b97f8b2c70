// Ubuntu 24.04 lets a process without a profile make user namespaces only without capabilities in them. The lab's engine gets a
// profile of its own that allows them, and restricts nothing else.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { findProgram } from './host-packages.mjs';
import { recordInJournal } from './journal.mjs';
import { runTool } from './tool.mjs';

export const PROFILE_NAME = 'drydock';
export const PROFILE_FILE = '/etc/apparmor.d/drydock';

export const PROFILE = `# Written by Drydock's set-up; "npm run uninstall" removes it. The engine and what it starts may make user namespaces.
abi <abi/4.0>,
include <tunables/global>

profile ${PROFILE_NAME} flags=(unconfined) {
  userns,
}
`;

/** True where the kernel restricts user namespaces to programs with a profile. */
export function userNamespacesRestricted() {
  const file = '/proc/sys/kernel/apparmor_restrict_unprivileged_userns';
  return existsSync(file) && readFileSync(file, 'utf8').trim() === '1';
}

/** True where the engine must be started under the profile. */
export const profileNeeded = () => userNamespacesRestricted() && findProgram('aa-exec') !== null;

/** Writes and loads the profile where the kernel asks for one. @param {string} journal */
export async function ensureProfile(journal) {
  if (!profileNeeded()) return false;
  if (existsSync(PROFILE_FILE) && readFileSync(PROFILE_FILE, 'utf8') === PROFILE) return false;
  recordInJournal(journal, { files: [PROFILE_FILE] });
  writeFileSync(PROFILE_FILE, PROFILE);
  await runTool('apparmor_parser', ['--replace', PROFILE_FILE], {
    advice: 'AppArmor’s own tools must be installed (package apparmor).',
  });
  return true;
}
