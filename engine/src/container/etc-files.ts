// The files Docker binds into every container: /etc/hostname, /etc/hosts, /etc/resolv.conf. A container that shares another's
// network shares its files.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readIfThere } from '../kernel/atomic-file.ts';
import { hostsFile, resolvConf } from '../model/etc-files.ts';
import type { Container } from './container.ts';
import type { LiveContainer } from './live-container.ts';

const NAMES = ['hostname', 'hosts', 'resolv.conf'] as const;

/** Host paths by destination, whether the files are there yet or not. */
export function etcPaths(container: LiveContainer, network?: Container): Record<string, string> {
  const owner = (network as LiveContainer | undefined) ?? container;
  return Object.fromEntries(NAMES.map((name) => [`/etc/${name}`, join(owner.directory, name)]));
}

/** Writes them as they are to be for the next run. Not whole or absent: each start writes them anew. */
export function writeEtcFiles(container: LiveContainer, network?: Container): Record<string, string> {
  if (!network) {
    const { config, hostConfig } = container.record;
    const isHost = hostConfig.NetworkMode === 'host';
    const { Hostname, Domainname } = config;
    const write = (name: (typeof NAMES)[number], text: string) =>
      writeFileSync(join(container.directory, name), text, { mode: 0o644 });
    write('hostname', `${Domainname === '' ? Hostname : `${Hostname}.${Domainname}`}\n`);
    write('hosts', hostsFile(isHost ? readIfThere('/etc/hosts') : null, hostConfig.ExtraHosts ?? []));
    write('resolv.conf', resolvConf(readIfThere('/etc/resolv.conf') ?? '', hostConfig));
  }
  return etcPaths(container, network);
}
