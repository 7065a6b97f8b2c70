// Probes of network links, queueing and packet filter. Each works in a network namespace that dies with its socket.
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from '../netlink/socket.ts';
import { NLM_F_CREATE, NLM_F_EXCL, attribute, encodeAttributes, type Attribute } from '../netlink/message.ts';
import { moduleHint, type ProbeDefinition } from './definition.ts';

const RTM_NEWLINK = 16;
const RTM_NEWQDISC = 36;
const IFLA_IFNAME = 3;
const IFLA_LINK = 5;
const IFLA_LINKINFO = 18;
const LOOPBACK_INDEX = 1;

function inFreshNetwork<T>(protocol: number, action: (socket: NetlinkSocket) => T): T {
  const socket = new NetlinkSocket(protocol, 'fresh');
  try {
    return action(socket);
  } finally {
    socket.close();
  }
}

function addLink(socket: NetlinkSocket, kind: string, more: readonly Attribute[], data: readonly Attribute[]): void {
  socket.request(
    {
      type: RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: encodeAttributes(
        [
          attribute.string(IFLA_IFNAME, 'probe0'),
          ...more,
          attribute.nest(IFLA_LINKINFO, [attribute.string(1, kind), attribute.nest(2, data)]),
        ],
        new Uint8Array(16),
      ),
    },
    { action: 'add link of type', target: kind },
  );
}

const linkOfType =
  (kind: string, data: readonly Attribute[] = []) =>
  (): undefined => {
    inFreshNetwork(NETLINK_ROUTE, (socket) => addLink(socket, kind, [], data));
  };

/** macvlan and ipvlan want a lower link; the loopback refuses that role, a bridge accepts it. */
const linkAbove = (kind: string) => (): undefined => {
  inFreshNetwork(NETLINK_ROUTE, (socket) => {
    const lower = encodeAttributes(
      [attribute.string(IFLA_IFNAME, 'lower0'), attribute.nest(IFLA_LINKINFO, [attribute.string(1, 'bridge')])],
      (() => {
        const header = new Uint8Array(16);
        new DataView(header.buffer).setInt32(4, 100, true);
        return header;
      })(),
    );
    socket.request(
      { type: RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL, payload: lower },
      { action: 'add link of type', target: 'bridge' },
    );
    addLink(socket, kind, [attribute.u32(IFLA_LINK, 100)], []);
  });
};

const queueing = (kind: string, options: Attribute) => (): undefined => {
  inFreshNetwork(NETLINK_ROUTE, (socket) => {
    // struct tcmsg: family, pad, ifindex, handle, parent (TC_H_ROOT), info.
    const header = new Uint8Array(20);
    const data = new DataView(header.buffer);
    data.setInt32(4, LOOPBACK_INDEX, true);
    data.setUint32(12, 0xffff_ffff, true);
    socket.request(
      {
        type: RTM_NEWQDISC,
        flags: NLM_F_CREATE | NLM_F_EXCL,
        payload: encodeAttributes([attribute.string(1, kind), options], header),
      },
      { action: 'add queueing discipline', target: kind },
    );
  });
};

function tbfOptions(): Attribute {
  // struct tc_tbf_qopt: rate (cell_log, linklayer, overhead, cell_align, mpu, rate), peakrate, limit, buffer, mtu.
  const options = new Uint8Array(36);
  const data = new DataView(options.buffer);
  options[1] = 1;
  data.setUint32(8, 125_000, true);
  data.setUint32(24, 65_536, true);
  data.setUint32(28, 1_000_000, true);
  return attribute.nest(2, [attribute.bytes(1, options), attribute.u32(6, 10_000)]);
}

function netemOptions(): Attribute {
  // struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter.
  const options = new Uint8Array(24);
  new DataView(options.buffer).setUint32(4, 1000, true);
  return attribute.bytes(2, options);
}

/** struct nfgenmsg: family, version, resource id (big endian). */
const generic = (family: number, resource: number): Uint8Array => Uint8Array.of(family, 0, 0, resource);

function nftables(): undefined {
  inFreshNetwork(NETLINK_NETFILTER, (socket) =>
    socket.transaction(
      [
        { type: 0x10, payload: generic(0, 10) },
        {
          type: 10 << 8,
          flags: NLM_F_CREATE | NLM_F_EXCL,
          payload: encodeAttributes([attribute.string(1, 'probe')], generic(1, 0)),
        },
        { type: 0x11, payload: generic(0, 10) },
      ],
      1,
      { action: 'add nftables table', target: 'probe' },
    ),
  );
}

export const NETWORK_PROBES = {
  veth: {
    needed: true,
    use: 'connects each sandbox with the host',
    howToGet: moduleHint('veth', 'VETH'),
    missing: linkOfType('veth'),
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
    missing: nftables,
  },
  tbf: {
    needed: false,
    use: 'limits the rate of each sandbox’s link',
    howToGet: moduleHint('sch_tbf', 'NET_SCH_TBF'),
    missing: queueing('tbf', tbfOptions()),
  },
  netem: {
    needed: false,
    use: 'lessons on slow and lossy networks',
    howToGet: moduleHint('sch_netem', 'NET_SCH_NETEM'),
    missing: queueing('netem', netemOptions()),
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
