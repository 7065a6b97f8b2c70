// Others on this machine whose rules meet the lab's: container daemons, firewalls. Looks only.
import { existsSync, readFileSync, readdirSync } from 'node:fs';

/** @type {Record<string, string>} */
const KNOWN = {
  dockerd:
    'Docker runs too. Both work side by side: links, tables and control groups have names of their own. Docker’s own FORWARD rule (policy drop) comes after the lab’s table; neither opens what the other closed.',
  podman: 'podman runs too. Both work side by side.',
  firewalld: 'firewalld runs too. Its reload leaves the lab’s own nftables table alone.',
  ufw: 'ufw is active. Its forward policy (drop) also holds for sandboxes, which the lab keeps from the network anyway.',
};

/** @param {string} [proc] */
export function runningCommands(proc = '/proc') {
  const names = new Set();
  for (const pid of readdirSync(proc)) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      names.add(readFileSync(`${proc}/${pid}/comm`, 'utf8').trim());
    } catch {
      // It ended while the list was read.
    }
  }
  return names;
}

/**
 * Rows for what runs here besides the lab.
 * @param {Set<unknown>} commands names of running processes @param {boolean} ufwEnabled
 * @returns {import('./doctor-report.mjs').Row[]}
 */
export function foreignRows(commands, ufwEnabled) {
  const found = Object.keys(KNOWN).filter((name) => commands.has(name) || (name === 'ufw' && ufwEnabled));
  return found.map((id) => ({
    section: 'Others on this machine',
    id,
    state: 'note',
    why: KNOWN[id] ?? '',
    howToGet: '',
  }));
}

/** True where ufw's configuration says it starts at boot. */
export function ufwEnabled() {
  const file = '/etc/ufw/ufw.conf';
  return existsSync(file) && /^ENABLED=yes/m.test(readFileSync(file, 'utf8'));
}
