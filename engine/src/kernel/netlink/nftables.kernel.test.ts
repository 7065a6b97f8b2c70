import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestNamespace } from '../../testing/network-namespace.ts';
import { requires } from '../../testing/requires.ts';
import type { Change, SetSettings } from './nft-change.ts';
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
  jump,
  l4proto,
  leave,
  limit,
  masquerade,
  nfproto,
  oifname,
  reversePathMissing,
  sport,
  toOwnLink,
  type Term,
} from './nft-expression.ts';
import { commit, listCounters, listElements, listTables } from './nftables.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from './socket.ts';

requires(
  ...([
    'root',
    'nftables',
    'nftables-fib',
    'nftables-connections',
    'nftables-elements',
    'nftables-masquerade',
  ] as const),
);

let ours: TestNamespace;
let theirs: TestNamespace;
let socket: NetlinkSocket;

beforeEach(() => {
  ours = new TestNamespace();
  theirs = new TestNamespace();
  socket = new NetlinkSocket(NETLINK_NETFILTER, ours.fd);
});
afterEach(() => {
  for (const owned of [socket, ours, theirs]) owned.close();
});

const LINKS: SetSettings = { name: 'links', key: 'ifname' };
const LIMITED: SetSettings = { name: 'limited', key: 'ifname', stateful: true };
const NETWORKS: SetSettings = { name: 'networks', key: 'ipv4_addr', intervals: true };
const PORTS: SetSettings = { name: 'ports', key: 'inet_service' };

const rule = (chain: string, ...terms: Term[]): Change => ({ add: 'rule', chain, terms });
const rate = { count: 10, of: 'packets', per: 'second', burst: 5 } as const;

const table = (...changes: Change[]): Change[] => [
  { add: 'table' },
  ...[LINKS, LIMITED, NETWORKS, PORTS].map((set): Change => ({ add: 'set', set })),
  { add: 'chain', chain: { name: 'sub' } },
  { add: 'chain', chain: { name: 'early', hook: 'prerouting', priority: -300 } },
  { add: 'chain', chain: { name: 'in', hook: 'input', policy: 'drop' } },
  { add: 'chain', chain: { name: 'late', type: 'nat', hook: 'postrouting', priority: 100 } },
  ...changes,
];

/** The same as `table`, in the words of nft(8). */
const text = (rules: { sub?: string; early?: string; in?: string; late?: string }): string => `
  table inet t {
    set links { type ifname; }
    set limited { type ifname; flags dynamic; }
    set networks { type ipv4_addr; flags interval; }
    set ports { type inet_service; }
    chain sub { ${rules.sub ?? ''}; }
    chain early { type filter hook prerouting priority raw; policy accept; ${rules.early ?? ''}; }
    chain in { type filter hook input priority filter; policy drop; ${rules.in ?? ''}; }
    chain late { type nat hook postrouting priority srcnat; policy accept; ${rules.late ?? ''}; }
  }`;

/** What nft reads of both: ours, and what nft itself made of the text. */
function both(words: string): [string, string] {
  theirs.run('nft', words);
  const read = (namespace: TestNamespace): string =>
    namespace.run('nft', '-j', 'list', 'ruleset').replaceAll(/, "handle": \d+/g, '');
  return [read(ours), read(theirs)];
}

describe('what nft reads of our table is what it makes of the same words', () => {
  test('table, chains and sets', () => {
    commit(socket, 't', table());
    const [made, expected] = both(text({}));
    expect(made).toBe(expected);
    expect(listTables(socket)).toEqual(['t']);
  });

  test('every word of a rule', () => {
    const early: [Term[], string][] = [
      [[iifname('eth0'), counter, drop], 'iifname "eth0" counter drop'],
      [
        [iifname({ set: 'links' }), oifname({ set: 'links', not: true }), accept],
        'iifname @links oifname != @links accept',
      ],
      [[nfproto('ipv6'), drop], 'meta nfproto ipv6 drop'],
      [[l4proto('udp'), drop], 'meta l4proto udp drop'],
      [[ipSaddr('192.0.2.1'), drop], 'ip saddr 192.0.2.1 drop'],
      [[ipDaddr({ set: 'networks' }), drop], 'ip daddr @networks drop'],
      [[dport('tcp', 25), drop], 'tcp dport 25 drop'],
      [[sport('udp', { set: 'ports' }), drop], 'udp sport @ports drop'],
      [
        [icmpType('echo-request'), limit(rate), accept],
        'icmp type echo-request limit rate 10/second burst 5 packets accept',
      ],
      [
        [limit({ count: 1000, of: 'bytes', per: 'minute', burst: 2000 }, true), drop],
        'limit rate over 1000 bytes/minute burst 2000 bytes drop',
      ],
      [
        [ctState('established', 'related'), ctDirection('reply'), leave],
        'ct state established,related ct direction reply return',
      ],
      [[ctState('new'), ctCountOver(7), jump('sub')], 'ct state new ct count over 7 jump sub'],
      [[reversePathMissing, drop], 'fib saddr . iif oif missing drop'],
      [[toOwnLink, accept], 'fib daddr . iif type local accept'],
    ];
    commit(
      socket,
      't',
      table(...early.map(([terms]) => rule('early', ...terms)), rule('late', ipSaddr('192.0.2.1'), masquerade)),
    );
    const [made, expected] = both(
      text({ early: early.map(([, words]) => words).join('; '), late: 'ip saddr 192.0.2.1 masquerade' }),
    );
    expect(made).toBe(expected);
  });

  test('elements with intervals, limits and counts', () => {
    const elements: Change[] = [
      { add: 'elements', set: LINKS, elements: [{ key: 'eth0' }, { key: 'fifteen-letters' }] },
      {
        add: 'elements',
        set: LIMITED,
        elements: [
          { key: 'a', state: limit(rate) },
          { key: 'b', state: ctCountOver(3) },
        ],
      },
      { add: 'elements', set: NETWORKS, elements: ['10.0.0.0/8', '192.0.2.7', '224.0.0.0/3'].map((key) => ({ key })) },
      { add: 'elements', set: PORTS, elements: [{ key: '53' }, { key: '443' }] },
    ];
    commit(socket, 't', table(...elements));
    theirs.run('nft', text({}));
    const [made, expected] = both(`
      add element inet t links { eth0, "fifteen-letters" }
      add element inet t limited { a limit rate 10/second burst 5 packets, b ct count over 3 }
      add element inet t networks { 10.0.0.0/8, 192.0.2.7, 224.0.0.0/3 }
      add element inet t ports { 53, 443 }`);
    const sorted = (json: string): string[] => json.split(/[{}[\]]+/).sort();
    expect(sorted(made)).toEqual(sorted(expected));
    expect(listElements(socket, 't', LINKS)?.sort()).toEqual(['eth0', 'fifteen-letters']);
    expect(listElements(socket, 't', NETWORKS)?.sort()).toEqual(['10.0.0.0', '192.0.2.7', '224.0.0.0']);
    expect(listElements(socket, 't', PORTS)?.sort()).toEqual(['443', '53']);
    commit(socket, 't', [
      { delete: 'elements', set: LIMITED, elements: [{ key: 'b' }] },
      { delete: 'elements', set: NETWORKS, elements: [{ key: '10.0.0.0/8' }, { key: '224.0.0.0/3' }] },
    ]);
    expect(listElements(socket, 't', LIMITED)).toEqual(['a']);
    expect(ours.run('nft', 'list', 'set', 'inet', 't', 'networks')).toContain('elements = { 192.0.2.7 }');
  });

  test('more elements than one message holds', () => {
    const elements = Array.from({ length: 1500 }, (_, index) => ({ key: `link${index}`, state: limit(rate) }));
    commit(socket, 't', table({ add: 'elements', set: LIMITED, elements }));
    expect(listElements(socket, 't', LIMITED)).toHaveLength(1500);
  });
});

describe('transactions', () => {
  test('are made as a whole or not at all, and say why not', () => {
    commit(socket, 't', table());
    const before = ours.run('nft', '-j', 'list', 'ruleset');
    const good: Change = { add: 'elements', set: LINKS, elements: [{ key: 'eth0' }] };
    expect(() => commit(socket, 't', [good, rule('no-such-chain', drop)])).toThrow(
      /^Cannot change nftables table "t": ENOENT \(the table, chain, set or element is not there/,
    );
    expect(ours.run('nft', '-j', 'list', 'ruleset')).toBe(before);
    expect(() => commit(socket, 't', [{ add: 'table' }])).toThrow('EEXIST (it is there already)');
    expect(() => commit(socket, 't', [{ delete: 'elements', set: LINKS, elements: [{ key: 'eth9' }] }])).toThrow(
      'ENOENT',
    );
    commit(socket, 't', [{ delete: 'table' }, ...table(good)]);
    expect(listElements(socket, 't', LINKS)).toEqual(['eth0']);
    commit(socket, 't', [{ delete: 'table' }]);
    expect(listTables(socket)).toEqual([]);
    expect(listElements(socket, 't', LINKS)).toBeUndefined();
    commit(socket, 't', []);
  });

  test('counters are read back by the comments of their rules', () => {
    const count = (comment: string, ...terms: Term[]): Change => ({ add: 'rule', chain: 'early', comment, terms });
    commit(socket, 't', table(count('to port 9', dport('udp', 9), counter), count('never', dport('udp', 10), counter)));
    ours.run('ip', 'link', 'set', 'lo', 'up');
    ours.run('bash', '-c', 'for n in 1 2 3; do echo -n data >/dev/udp/127.0.0.1/9; done');
    expect(listCounters(socket, 't')).toEqual([
      // 20 bytes of IP and 8 of UDP before the four of data.
      { chain: 'early', comment: 'to port 9', packets: 3n, bytes: 96n },
      { chain: 'early', comment: 'never', packets: 0n, bytes: 0n },
    ]);
  });
});
