// Network links over rtnetlink: veth pairs and bridges made, links read, changed and deleted (rtnetlink(7),
// linux/if_link.h). Addresses and routes are in their own files.
import { EngineError } from '../../model/engine-error.ts';
import {
  NLM_F_CREATE,
  NLM_F_EXCL,
  attribute,
  behindHeader,
  decodeAttributes,
  encodeAttributes,
  read,
  type Attribute,
  type Message,
} from './message.ts';
import type { NetlinkSocket, Request } from './socket.ts';

const RTM_NEWLINK = 16;
const RTM_DELLINK = 17;
const RTM_GETLINK = 18;

const IFINFOMSG_BYTES = 16;
const IFF_UP = 1;
const IFLA_ADDRESS = 1;
const IFLA_IFNAME = 3;
const IFLA_MTU = 4;
const IFLA_LINK = 5;
const IFLA_QDISC = 6;
const IFLA_MASTER = 10;
const IFLA_OPERSTATE = 16;
const IFLA_LINKINFO = 18;
const IFLA_NET_NS_PID = 19;
const IFLA_AF_SPEC = 26;
const IFLA_NET_NS_FD = 28;
const IFLA_EXT_MASK = 29;
const IFLA_NUM_TX_QUEUES = 31;
const IFLA_NUM_RX_QUEUES = 32;
const IFLA_LINK_NETNSID = 37;
const IFLA_INFO_KIND = 1;
const IFLA_INFO_DATA = 2;
const VETH_INFO_PEER = 1;
const IFLA_INET6_ADDR_GEN_MODE = 8;
const IN6_ADDR_GEN_MODE_NONE = 1;
const RTEXT_FILTER_SKIP_STATS = 8;
const IFLA_INET_CONF = 1;
const IPV4_DEVCONF_ARP_IGNORE = 19;
const AF_INET = 2;
const AF_INET6 = 10;

/** IFNAMSIZ with its NUL. */
export const LINK_NAME_MAX = 15;

/** Names by IF_OPER_* (RFC 2863), as `ip` prints them. */
const OPERATIONAL_STATES = ['UNKNOWN', 'NOTPRESENT', 'DOWN', 'LOWERLAYERDOWN', 'TESTING', 'DORMANT', 'UP'];

export interface Link {
  readonly index: number;
  readonly name: string;
  /** "veth", "bridge" …; undefined for links of hardware and the loopback. */
  readonly kind: string | undefined;
  readonly up: boolean;
  readonly flags: number;
  readonly operationalState: string;
  readonly mtu: number;
  /** "02:00:5e:00:53:01"; undefined where the link has none. */
  readonly mac: string | undefined;
  /** Index of the bridge it is a port of. */
  readonly master: number | undefined;
  /** Index of the other end of a veth, in the namespace that `peerNamespaceId` names (undefined: this one). */
  readonly peerIndex: number | undefined;
  readonly peerNamespaceId: number | undefined;
  readonly queueing: string | undefined;
}

/** Where a link goes: a descriptor of a network namespace, or a process in one. */
export type Whereabouts = { readonly netnsFd: number } | { readonly pid: number };

/** `mac` is written as "02:00:5e:00:53:01". */
export interface LinkSettings {
  readonly name?: string;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Index of a bridge; 0 takes the link out of its bridge. */
  readonly master?: number;
  /** False: the kernel gives the link no IPv6 link-local address when it goes up. */
  readonly ipv6LinkLocal?: false;
  /** True: ARP is answered for the link's own addresses only, not for all that the host has (arp_ignore 1). */
  readonly arpOwnOnly?: true;
}

export interface VethSettings {
  readonly name: string;
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** Born down: the kernel refuses to raise it (ENOTCONN) before the two ends know each other. */
  readonly peer: {
    readonly name: string;
    readonly mac?: string;
    /** Where the peer is born; without it, beside the first end. */
    readonly in?: Whereabouts;
  };
}

function ifinfomsg(index: number, up?: boolean): Uint8Array {
  const bytes = new Uint8Array(IFINFOMSG_BYTES);
  const data = new DataView(bytes.buffer);
  data.setInt32(4, index, true);
  if (up !== undefined) {
    data.setUint32(8, up ? IFF_UP : 0, true);
    // ifi_change: only this flag is meant, the others stay.
    data.setUint32(12, IFF_UP, true);
  }
  return bytes;
}

/** Throws `invalid_argument` for what the kernel would refuse with a bare EINVAL or ERANGE (dev_valid_name()). */
export function checkLinkName(name: string): string {
  if (
    name.length === 0 ||
    name === '.' ||
    name === '..' ||
    /[/:\s]/.test(name) ||
    Buffer.byteLength(name) > LINK_NAME_MAX
  )
    throw new EngineError(
      'invalid_argument',
      `Cannot use "${name}" as the name of a link: it must have 1 to ${LINK_NAME_MAX} bytes, without "/", ":" and spaces`,
    );
  return name;
}

function macBytes(mac: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(mac))
    throw new EngineError(
      'invalid_argument',
      `Cannot use "${mac}" as a MAC address: it must be six bytes like 02:00:5e:00:53:01`,
    );
  return Uint8Array.from(mac.split(':'), (byte) => Number.parseInt(byte, 16));
}

const whereabouts = (where: Whereabouts): Attribute =>
  'pid' in where ? attribute.u32(IFLA_NET_NS_PID, where.pid) : attribute.u32(IFLA_NET_NS_FD, where.netnsFd);

function settings({ name, mtu, mac, master, ipv6LinkLocal, arpOwnOnly }: LinkSettings): Attribute[] {
  const attributes: Attribute[] = [];
  if (name !== undefined) attributes.push(attribute.string(IFLA_IFNAME, checkLinkName(name)));
  if (mtu !== undefined) attributes.push(attribute.u32(IFLA_MTU, mtu));
  if (mac !== undefined) attributes.push(attribute.bytes(IFLA_ADDRESS, macBytes(mac)));
  if (master !== undefined) attributes.push(attribute.u32(IFLA_MASTER, master));
  const families: Attribute[] = [];
  if (arpOwnOnly)
    families.push(
      attribute.nest(AF_INET, [attribute.nest(IFLA_INET_CONF, [attribute.u32(IPV4_DEVCONF_ARP_IGNORE, 1)])]),
    );
  if (ipv6LinkLocal === false)
    families.push(attribute.nest(AF_INET6, [attribute.u8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE)]));
  if (families.length > 0) attributes.push(attribute.nest(IFLA_AF_SPEC, families));
  return attributes;
}

const HINTS = {
  EEXIST: 'a link of this name is there already',
  ENODEV: 'there is no such link',
  ESRCH: 'the process whose network namespace was meant has ended',
  EPERM: 'changing links needs CAP_NET_ADMIN over the network namespace',
  ENOTSUP: 'the kernel has no links of this type',
  EBUSY: 'the link is up or in use',
};

/**
 * Makes a veth pair, in one request, the peer directly in its own namespace: it never shows in ours. One queue each:
 * the kernel would make one per CPU, and what this link needs is memory saved.
 */
export function addVeth(route: NetlinkSocket, veth: VethSettings): void {
  const { peer } = veth;
  const queues = [attribute.u32(IFLA_NUM_TX_QUEUES, 1), attribute.u32(IFLA_NUM_RX_QUEUES, 1)];
  const peerPayload = encodeAttributes(
    [
      attribute.string(IFLA_IFNAME, checkLinkName(peer.name)),
      ...queues,
      ...settings({
        ...(veth.mtu === undefined ? {} : { mtu: veth.mtu }),
        ...(peer.mac === undefined ? {} : { mac: peer.mac }),
      }),
      ...(peer.in === undefined ? [] : [whereabouts(peer.in)]),
    ],
    ifinfomsg(0),
  );
  const { name, up, mtu, mac } = veth;
  route.request(
    {
      type: RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: encodeAttributes(
        [
          ...settings({ name, ...(mtu === undefined ? {} : { mtu }), ...(mac === undefined ? {} : { mac }) }),
          ...queues,
          attribute.nest(IFLA_LINKINFO, [
            attribute.string(IFLA_INFO_KIND, 'veth'),
            attribute.nest(IFLA_INFO_DATA, [attribute.bytes(VETH_INFO_PEER, peerPayload)]),
          ]),
        ],
        ifinfomsg(0, up),
      ),
    },
    { action: 'add veth link', target: name, hints: HINTS },
  );
}

export interface NewLink extends LinkSettings {
  readonly name: string;
  /** Index of the link it stands on: for macvlan, vlan and their kin. */
  readonly lowerIndex?: number;
  /** What IFLA_INFO_DATA holds for this kind. */
  readonly data?: readonly Attribute[];
}

/** Makes a link of one end: a bridge, a dummy, a macvlan. */
export function addLink(route: NetlinkSocket, kind: string, link: NewLink): void {
  const { data, lowerIndex } = link;
  const info = [attribute.string(IFLA_INFO_KIND, kind)];
  if (data !== undefined) info.push(attribute.nest(IFLA_INFO_DATA, data));
  const attributes = [...settings(link), attribute.nest(IFLA_LINKINFO, info)];
  if (lowerIndex !== undefined) attributes.push(attribute.u32(IFLA_LINK, lowerIndex));
  route.request(
    {
      type: RTM_NEWLINK,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: encodeAttributes(attributes, ifinfomsg(0, link.up)),
    },
    { action: `add ${kind} link`, target: link.name, hints: HINTS },
  );
}

/** Changes a link. A link that is renamed must be down on kernels before 6.2. */
export function setLink(
  route: NetlinkSocket,
  link: string | number,
  change: LinkSettings & { in?: Whereabouts },
): void {
  const byName = typeof link === 'string';
  // IFLA_IFNAME both finds a link and renames it: a rename finds by index.
  const index = byName && change.name !== undefined ? getLink(route, link).index : byName ? 0 : link;
  const attributes = settings(change);
  if (byName && index === 0) attributes.unshift(attribute.string(IFLA_IFNAME, checkLinkName(link)));
  if (change.in !== undefined) attributes.push(whereabouts(change.in));
  route.request(
    { type: RTM_NEWLINK, payload: encodeAttributes(attributes, ifinfomsg(index, change.up)) },
    { action: 'change link', target: String(link), hints: HINTS },
  );
}

const deletion = (link: string | number): Request => ({
  type: RTM_DELLINK,
  payload: encodeAttributes(
    typeof link === 'string' ? [attribute.string(IFLA_IFNAME, checkLinkName(link))] : [],
    ifinfomsg(typeof link === 'string' ? 0 : link),
  ),
});

/** Deletes a link; of a veth both ends go. Blocks for some 15 ms: the kernel waits until no CPU uses it (RCU). */
export function deleteLink(route: NetlinkSocket, link: string | number): void {
  route.request(deletion(link), { action: 'delete link', target: String(link), hints: HINTS });
}

/** The same without blocking, on a socket that nobody else asks meanwhile. */
export async function deleteLinkInThread(route: NetlinkSocket, link: string | number): Promise<void> {
  await route.requestInThread(deletion(link), { action: 'delete link', target: String(link), hints: HINTS });
}

/** Throws SysError ENODEV where there is none. */
export function getLink(route: NetlinkSocket, link: string | number): Link {
  const attributes = [attribute.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)];
  if (typeof link === 'string') attributes.push(attribute.string(IFLA_IFNAME, checkLinkName(link)));
  const purpose = { action: 'find link', target: String(link), hints: HINTS };
  const [answer] = route.request(
    { type: RTM_GETLINK, payload: encodeAttributes(attributes, ifinfomsg(typeof link === 'string' ? 0 : link)) },
    purpose,
  );
  const found = answer === undefined ? undefined : decodeLink(answer);
  if (found === undefined)
    throw new EngineError('internal', `Cannot find link "${link}": the kernel answered with none`);
  return found;
}

/** Every link of the socket's namespace, in the order of their indices. */
export function listLinks(route: NetlinkSocket): Link[] {
  return route
    .dump(
      {
        type: RTM_GETLINK,
        payload: encodeAttributes([attribute.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS)], ifinfomsg(0)),
      },
      { action: 'list', target: 'links' },
    )
    .map(decodeLink)
    .filter((link) => link !== undefined);
}

/** Reads RTM_NEWLINK; undefined for other messages. Throws NetlinkFormatError. */
export function decodeLink(message: Message): Link | undefined {
  if (message.type !== RTM_NEWLINK) return undefined;
  const attributes = decodeAttributes(behindHeader(message.payload, IFINFOMSG_BYTES));
  const flags = read.u32(message.payload.subarray(8));
  const number = (type: number): number | undefined => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : read.u32(bytes);
  };
  const text = (bytes: Uint8Array | undefined): string | undefined =>
    bytes === undefined ? undefined : read.string(bytes);
  const info = attributes.get(IFLA_LINKINFO);
  const kind = info === undefined ? undefined : text(decodeAttributes(info).get(IFLA_INFO_KIND));
  const mac = attributes.get(IFLA_ADDRESS);
  const namespaceId = attributes.get(IFLA_LINK_NETNSID);
  const state = attributes.get(IFLA_OPERSTATE);
  return {
    index: read.i32(message.payload.subarray(4)),
    name: text(attributes.get(IFLA_IFNAME)) ?? '',
    kind,
    up: (flags & IFF_UP) !== 0,
    flags,
    operationalState: OPERATIONAL_STATES[state === undefined ? 0 : read.u8(state)] ?? 'UNKNOWN',
    mtu: number(IFLA_MTU) ?? 0,
    mac: mac === undefined || mac.length === 0 ? undefined : Buffer.from(mac).toString('hex').match(/../g)?.join(':'),
    master: number(IFLA_MASTER),
    peerIndex: number(IFLA_LINK),
    peerNamespaceId: namespaceId === undefined ? undefined : read.i32(namespaceId),
    queueing: text(attributes.get(IFLA_QDISC)),
  };
}
