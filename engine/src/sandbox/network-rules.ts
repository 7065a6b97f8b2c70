// The packet filter of one instance's sandboxes, as data: one table, its sets of links, its rules. Only ever takes away
// what other firewalls of the host allow. A sandbox is an element of the sets, never a rule of its own. No I/O.
import type { Change, Element, SetSettings } from '../kernel/netlink/nft-change.ts';
import {
  accept,
  counter,
  ctCountOver,
  ctDirection,
  ctState,
  dport,
  drop,
  icmpType,
  iifname,
  ipDaddr,
  ipSaddr,
  limit,
  nfproto,
  oifname,
  reversePathMissing,
  toOwnLink,
  type Rate,
  type Term,
} from '../kernel/netlink/nft-expression.ts';
import type { Prefix } from '../model/ip-address.ts';

export interface NetworkLimits {
  /** Each way. */
  readonly bytesPerSecond: number;
  readonly burstBytes: number;
  readonly echoesPerSecond: number;
  readonly dnsQueriesPerSecond: number;
  readonly connections: number;
}

export const NETWORK_LIMITS: NetworkLimits = {
  bytesPerSecond: 12_500_000,
  burstBytes: 1_048_576,
  echoesPerSecond: 20,
  dnsQueriesPerSecond: 50,
  connections: 512,
};

/** Networks that are nobody's on the internet, and the ones of the host's own neighbourhood (RFC 6890), metadata service included. */
export const BOGONS: readonly string[] = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
];

/** The instance's addresses: what another instance reads before it chooses its own. */
export const POOL_SET: SetSettings = { name: 'pool', key: 'ipv4_addr', intervals: true };
/** Host ends of all sandboxes' links. */
export const SANDBOX_SET: SetSettings = { name: 'sandboxes', key: 'ifname' };
const BOGON_SET: SetSettings = { name: 'bogons', key: 'ipv4_addr', intervals: true };
/** Where sandboxes may go. Empty: nothing gets out. */
const ALLOWED_SET: SetSettings = { name: 'allowed', key: 'ipv4_addr', intervals: true };
const UPLOAD_SET: SetSettings = { name: 'upload', key: 'ifname', stateful: true };
const ECHO_SET: SetSettings = { name: 'echo', key: 'ifname', stateful: true };
/** Links behind which somebody answers DNS; empty as long as nobody listens. */
const DNS_SET: SetSettings = { name: 'dns', key: 'ifname', stateful: true };
const CONNECTION_SET: SetSettings = { name: 'connections', key: 'ifname', stateful: true };

export const TABLE_PREFIX = 'drydock_';
export const tableName = (instance: string): string => `${TABLE_PREFIX}${instance}`;

const RAW = -300;
const FILTER = 0;

const rule = (chain: string, comment: string, ...terms: Term[]): Change => ({ add: 'rule', chain, comment, terms });
const refuse = (chain: string, comment: string, ...terms: Term[]): Change =>
  rule(chain, comment, ...terms, counter, drop);

const fromSandbox = iifname({ set: SANDBOX_SET.name });
const toSandbox = oifname({ set: SANDBOX_SET.name });
const fromElsewhere = iifname({ set: SANDBOX_SET.name, not: true });
const answers: Term[] = [ctState('established'), ctDirection('reply')];

/** The whole table without any sandbox. */
export function tableChanges(pool: Prefix): Change[] {
  return [
    { add: 'table' },
    ...[POOL_SET, SANDBOX_SET, BOGON_SET, ALLOWED_SET, UPLOAD_SET, ECHO_SET, DNS_SET, CONNECTION_SET].map(
      (set): Change => ({ add: 'set', set }),
    ),
    { add: 'elements', set: POOL_SET, elements: [{ key: `${pool.address}/${pool.length}` }] },
    { add: 'elements', set: BOGON_SET, elements: BOGONS.map((key) => ({ key })) },
    ...arrival(),
    ...toHost(),
    ...forwarded(),
    { add: 'chain', chain: { name: 'output', hook: 'output', priority: FILTER } },
    refuse('output', 'no IPv6 towards a sandbox', toSandbox, nfproto('ipv6')),
  ];
}

/** Before connection tracking: what is dropped here can't fill the host's table of connections. */
function arrival(): Change[] {
  return [
    { add: 'chain', chain: { name: 'arrival', hook: 'prerouting', priority: RAW } },
    rule('arrival', 'not of a sandbox', fromElsewhere, accept),
    refuse('arrival', 'no IPv6 from a sandbox', nfproto('ipv6')),
    // The kernel lets 0.0.0.0 pass its reverse path check when the destination is a broadcast (DHCP).
    refuse('arrival', 'source outside the pool', ipSaddr({ set: POOL_SET.name, not: true })),
    refuse('arrival', 'forged source', reversePathMissing),
    refuse('arrival', 'over the upload rate', iifname({ set: UPLOAD_SET.name })),
  ];
}

function toHost(): Change[] {
  return [
    { add: 'chain', chain: { name: 'input', hook: 'input', priority: FILTER } },
    rule('input', 'not of a sandbox', fromElsewhere, accept),
    refuse('input', 'too many connections', ctState('new'), iifname({ set: CONNECTION_SET.name })),
    rule('input', 'echo', icmpType('echo-request'), toOwnLink, iifname({ set: ECHO_SET.name }), counter, accept),
    rule('input', 'DNS over UDP', dport('udp', 53), toOwnLink, iifname({ set: DNS_SET.name }), counter, accept),
    rule('input', 'DNS over TCP', dport('tcp', 53), toOwnLink, iifname({ set: DNS_SET.name }), counter, accept),
    // Behind the limits above: an echo's second packet belongs to an established connection, too.
    rule('input', 'answers to the host', ...answers, accept),
    refuse('input', 'not for a sandbox to reach'),
  ];
}

function forwarded(): Change[] {
  return [
    { add: 'chain', chain: { name: 'forward', hook: 'forward', priority: FILTER } },
    refuse('forward', 'sandbox to sandbox', fromSandbox, toSandbox),
    rule('forward', 'answers to a sandbox', toSandbox, ...answers, accept),
    refuse('forward', 'into a sandbox', toSandbox),
    rule('forward', 'not of a sandbox', fromElsewhere, accept),
    refuse('forward', 'too many connections', ctState('new'), iifname({ set: CONNECTION_SET.name })),
    refuse('forward', 'private networks', ipDaddr({ set: BOGON_SET.name })),
    refuse('forward', 'mail', dport('tcp', 25)),
    rule('forward', 'allowed', ipDaddr({ set: ALLOWED_SET.name }), counter, accept),
    refuse('forward', 'egress'),
  ];
}

/** Comments of the rules that count what they drop or accept: all that matter. What the table has when it is whole. */
export const COUNTED_RULES: readonly string[] = tableChanges({ address: '10.0.0.0', length: 14 }).flatMap((change) =>
  'terms' in change && change.terms.includes(counter) && change.comment !== undefined ? [change.comment] : [],
);

const perSecond = (count: number, of: Rate['of'], burst: number): Rate => ({ count, of, per: 'second', burst });

/** What puts sandboxes under the rules (`add`) or takes them out (`delete`), by the host ends of their links. */
export function sandboxChanges(
  what: 'add' | 'delete',
  links: readonly string[],
  { limits, dns }: { readonly limits: NetworkLimits; readonly dns: boolean },
): Change[] {
  if (links.length === 0) return [];
  const change = (set: SetSettings, state?: Term): Change => {
    const elements = links.map((key): Element => (state === undefined || what === 'delete' ? { key } : { key, state }));
    return what === 'add' ? { add: 'elements', set, elements } : { delete: 'elements', set, elements };
  };
  const { bytesPerSecond, burstBytes, echoesPerSecond, dnsQueriesPerSecond, connections } = limits;
  return [
    change(SANDBOX_SET),
    change(UPLOAD_SET, limit(perSecond(bytesPerSecond, 'bytes', burstBytes), true)),
    change(ECHO_SET, limit(perSecond(echoesPerSecond, 'packets', echoesPerSecond))),
    change(CONNECTION_SET, ctCountOver(connections)),
    ...(dns ? [change(DNS_SET, limit(perSecond(dnsQueriesPerSecond, 'packets', dnsQueriesPerSecond)))] : []),
  ];
}
