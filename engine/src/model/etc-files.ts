// The text of a container's /etc/hosts and /etc/resolv.conf, as Docker makes them. Pure.
import type { HostConfig } from './container-config.ts';
import { EngineError } from './engine-error.ts';

const LOCAL_NAMES: readonly (readonly [string, string])[] = [
  ['127.0.0.1', 'localhost'],
  ['::1', 'localhost ip6-localhost ip6-loopback'],
  ['fe00::', 'ip6-localnet'],
  ['ff00::', 'ip6-mcastprefix'],
  ['ff02::1', 'ip6-allnodes'],
  ['ff02::2', 'ip6-allrouters'],
];
/** What moby falls back to where the host names only servers of its own loopback. */
const PUBLIC_SERVERS = ['8.8.8.8', '8.8.4.4'];
const LOOPBACK = /^(127\.|::1$)/;

/** "name:address" or "name=address" of --add-host. Throws invalid_argument in Docker's words. */
export function parseExtraHost(raw: string): { name: string; address: string } {
  const at = raw.search(/[:=]/);
  const name = raw.slice(0, Math.max(at, 0));
  const address = raw.slice(at + 1).replace(/^\[(.*)\]$/, '$1');
  if (name === '' || address === '') throw new EngineError('invalid_argument', `bad format for add-host: "${raw}"`);
  if (address !== 'host-gateway' && !/^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:.]*)$/.test(address))
    throw new EngineError('invalid_argument', `invalid IP address in add-host: "${address}"`);
  return { name, address };
}

/** `hostFile`: the host's own, for a container in its network; null for one apart. */
export function hostsFile(hostFile: string | null, extraHosts: readonly string[]): string {
  const base = hostFile ?? LOCAL_NAMES.map(([address, names]) => `${address}\t${names}\n`).join('');
  const extra = extraHosts.map(parseExtraHost).map(({ name, address }) => {
    if (address !== 'host-gateway') return `${address}\t${name}\n`;
    if (hostFile !== null) return `127.0.0.1\t${name}\n`;
    throw new EngineError('invalid_argument', 'unable to derive the IP value for host-gateway');
  });
  return base + (base.endsWith('\n') || base === '' ? '' : '\n') + extra.join('');
}

type DnsConfig = Pick<HostConfig, 'NetworkMode' | 'Dns' | 'DnsSearch' | 'DnsOptions'>;

/** resolv.conf(5): what is asked for takes the place of the host's, kind by kind. */
export function resolvConf(hostText: string, { NetworkMode, Dns, DnsSearch, DnsOptions }: DnsConfig): string {
  const lines = hostText.split('\n').map((line) => line.trim().split(/\s+/));
  const ofHost = (keyword: string) => lines.filter(([first]) => first === keyword).map(([, ...values]) => values);
  const isApart = NetworkMode !== 'host' && NetworkMode !== 'none';
  let servers = Dns.length > 0 ? Dns : ofHost('nameserver').flatMap((values) => values.slice(0, 1));
  if (Dns.length === 0 && isApart) {
    servers = servers.filter((server) => !LOOPBACK.test(server));
    if (servers.length === 0) servers = PUBLIC_SERVERS;
  }
  // "." asks for no search list at all.
  const search = DnsSearch.length > 0 ? DnsSearch.filter((domain) => domain !== '.') : (ofHost('search').at(-1) ?? []);
  const options = DnsOptions.length > 0 ? DnsOptions : ofHost('options').flat();
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    ...(search.length > 0 ? [`search ${search.join(' ')}\n`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}\n`] : []),
  ].join('');
}
