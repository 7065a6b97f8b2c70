// Probes of network links, queueing and packet filter. Each works in a network namespace that dies with its socket.
import { addLink, addVeth, getLink } from '../netlink/link.ts';
import { attribute, type Attribute } from '../netlink/message.ts';
import { commit } from '../netlink/nftables.ts';
import type { Change } from '../netlink/nft-change.ts';
import {
  counter,
  ctCountOver,
  ctState,
  drop,
  iifname,
  ipSaddr,
  limit,
  masquerade,
  reversePathMissing,
  toOwnLink,
  type Term,
} from '../netlink/nft-expression.ts';
import { addQueueing, setTokenBucket } from '../netlink/queueing.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from '../netlink/socket.ts';
import { moduleHint, type ProbeDefinition } from './definition.ts';

const LOOPBACK_INDEX = 1;

function inFreshNetwork<T>(protocol: number, action: (socket: NetlinkSocket) => T): T {
  const socket = new NetlinkSocket(protocol, 'fresh');
  try {
    return action(socket);
  } finally {
    socket.close();
  }
}

const inFreshRoutes = (action: (route: NetlinkSocket) => void) => (): undefined => {
  inFreshNetwork(NETLINK_ROUTE, action);
};

const linkOfType = (kind: string, data: readonly Attribute[] = []): (() => undefined) =>
  inFreshRoutes((route) => addLink(route, kind, { name: 'probe0', data }));

/** macvlan and ipvlan want a lower link; the loopback refuses that role, a bridge accepts it. */
const linkAbove = (kind: string): (() => undefined) =>
  inFreshRoutes((route) => {
    addLink(route, 'bridge', { name: 'lower0' });
    addLink(route, kind, { name: 'probe0', lowerIndex: getLink(route, 'lower0').index });
  });

function netemOptions(): Uint8Array {
  // struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter.
  const options = new Uint8Array(24);
  new DataView(options.buffer).setUint32(4, 1000, true);
  return options;
}

/** Makes a table with what sandboxes need, and with `terms` in a chain of the given type. */
const filterWith =
  (type: 'filter' | 'nat', ...terms: Term[]) =>
  (): undefined => {
    const rule: Change = { add: 'rule', chain: 'probe', terms };
    const hook = type === 'nat' ? 'postrouting' : 'prerouting';
    inFreshNetwork(NETLINK_NETFILTER, (socket) =>
      commit(socket, 'probe', [{ add: 'table' }, { add: 'chain', chain: { name: 'probe', hook, type } }, rule]),
    );
  };

const statefulElements = (): undefined => {
  const links = { name: 'links', key: 'ifname', stateful: true } as const;
  const perSecond = limit({ count: 1, of: 'packets', per: 'second', burst: 1 });
  inFreshNetwork(NETLINK_NETFILTER, (socket) =>
    commit(socket, 'probe', [
      { add: 'table' },
      { add: 'set', set: links },
      {
        add: 'elements',
        set: links,
        elements: [
          { key: 'a', state: perSecond },
          { key: 'b', state: ctCountOver(1) },
        ],
      },
    ]),
  );
};

export const NETWORK_PROBES = {
  veth: {
    needed: true,
    use: 'connects each sandbox with the host',
    howToGet: moduleHint('veth', 'VETH'),
    missing: inFreshRoutes((route) => addVeth(route, { name: 'probe0', peer: { name: 'probe1' } })),
  },
  bridge: {
    needed: false,
    use: 'lessons on networks build bridges',
    howToGet: moduleHint('bridge', 'BRIDGE'),
    missing: linkOfType('bridge'),
  },
  nftables: {
    needed: true,
    use: 'keeps sandboxes off the host and off each other',
    howToGet: moduleHint('nf_tables', 'NF_TABLES'),
    missing: filterWith('filter', iifname('probe0'), counter, drop),
  },
  'nftables-fib': {
    needed: true,
    use: 'drops packets whose source a sandbox has forged',
    howToGet: moduleHint('nft_fib_inet', 'NFT_FIB_INET'),
    missing: filterWith('filter', reversePathMissing, toOwnLink, drop),
  },
  'nftables-connections': {
    needed: true,
    use: 'tells answers from new connections, and counts these for each sandbox',
    howToGet: `${moduleHint('nft_ct', 'NFT_CT')} The same for nft_connlimit and NFT_CONNLIMIT.`,
    missing: filterWith('filter', ctState('established'), ctCountOver(1), drop),
  },
  'nftables-elements': {
    needed: true,
    use: 'gives each sandbox limits of its own within the same rules',
    howToGet: `Needs Linux 5.11. ${moduleHint('nft_limit', 'NFT_LIMIT')}`,
    missing: statefulElements,
  },
  'nftables-masquerade': {
    needed: false,
    use: 'lets what is allowed out go by the host’s address',
    howToGet: moduleHint('nft_masq', 'NFT_MASQ'),
    missing: filterWith('nat', ipSaddr('10.0.0.1'), masquerade),
  },
  tbf: {
    needed: false,
    use: 'limits the rate of each sandbox’s link',
    howToGet: moduleHint('sch_tbf', 'NET_SCH_TBF'),
    missing: inFreshRoutes((route) =>
      setTokenBucket(route, LOOPBACK_INDEX, { bytesPerSecond: 125_000, burstBytes: 65_536 }),
    ),
  },
  netem: {
    needed: false,
    use: 'lessons on slow and lossy networks',
    howToGet: moduleHint('sch_netem', 'NET_SCH_NETEM'),
    missing: inFreshRoutes((route) => addQueueing(route, LOOPBACK_INDEX, 'netem', netemOptions())),
  },
  dummy: {
    needed: false,
    use: 'lessons on links without a wire',
    howToGet: moduleHint('dummy', 'DUMMY'),
    missing: linkOfType('dummy'),
  },
  macvlan: {
    needed: false,
    use: 'the macvlan network driver',
    howToGet: moduleHint('macvlan', 'MACVLAN'),
    missing: linkAbove('macvlan'),
  },
  ipvlan: {
    needed: false,
    use: 'the ipvlan network driver',
    howToGet: moduleHint('ipvlan', 'IPVLAN'),
    missing: linkAbove('ipvlan'),
  },
  vxlan: {
    needed: false,
    use: 'lessons on networks over networks',
    howToGet: moduleHint('vxlan', 'VXLAN'),
    missing: linkOfType('vxlan', [attribute.u32(1, 42), attribute.be16(15, 4789)]),
  },
  wireguard: {
    needed: false,
    use: 'lessons on encrypted links',
    howToGet: moduleHint('wireguard', 'WIREGUARD'),
    missing: linkOfType('wireguard'),
  },
} as const satisfies Record<string, ProbeDefinition>;
