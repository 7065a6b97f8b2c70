// Addresses of links over rtnetlink: add, delete, list (rtnetlink(7), linux/if_addr.h). IPv4 and IPv6.
import { addressBytes, addressText, type Prefix } from '../../model/ip-address.ts';
import {
  NLM_F_CREATE,
  NLM_F_EXCL,
  attribute,
  behindHeader,
  decodeAttributes,
  encodeAttributes,
  read,
  type Message,
} from './message.ts';
import type { NetlinkSocket } from './socket.ts';

const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFADDRMSG_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_FLAGS = 8;
const IFA_F_NODAD = 2;
const AF_INET = 2;
const AF_INET6 = 10;

export interface Address extends Prefix {
  readonly family: 4 | 6;
  readonly linkIndex: number;
  /** RT_SCOPE_*: 0 everywhere, 253 the link, 254 this host. */
  readonly scope: number;
}

const HINTS = {
  EEXIST: 'the link has this address already',
  EADDRNOTAVAIL: 'the link has no such address',
  ENODEV: 'there is no such link',
  EPERM: 'changing addresses needs CAP_NET_ADMIN over the network namespace',
  EACCES: 'IPv6 is switched off on this link',
};

function ifaddrmsg(family: number, prefixLength: number, linkIndex: number): Uint8Array {
  const bytes = new Uint8Array(IFADDRMSG_BYTES);
  bytes[0] = family;
  bytes[1] = prefixLength;
  new DataView(bytes.buffer).setUint32(4, linkIndex, true);
  return bytes;
}

/** Adds an address; IPv6 without the second of duplicate detection: whoever calls this chose the address to be unique. */
export function addAddress(route: NetlinkSocket, linkIndex: number, { address, length }: Prefix): void {
  const bytes = addressBytes(address);
  const attributes = [attribute.bytes(IFA_LOCAL, bytes), attribute.bytes(IFA_ADDRESS, bytes)];
  if (bytes.length === 16) attributes.push(attribute.u32(IFA_FLAGS, IFA_F_NODAD));
  // `ip` leaves the broadcast address out as well; from /31 on there is none (RFC 3021).
  route.request(
    {
      type: RTM_NEWADDR,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: encodeAttributes(attributes, ifaddrmsg(bytes.length === 4 ? AF_INET : AF_INET6, length, linkIndex)),
    },
    { action: 'add address', target: `${address}/${length}`, hints: HINTS },
  );
}

export function deleteAddress(route: NetlinkSocket, linkIndex: number, { address, length }: Prefix): void {
  const bytes = addressBytes(address);
  route.request(
    {
      type: RTM_DELADDR,
      payload: encodeAttributes(
        [attribute.bytes(IFA_LOCAL, bytes), attribute.bytes(IFA_ADDRESS, bytes)],
        ifaddrmsg(bytes.length === 4 ? AF_INET : AF_INET6, length, linkIndex),
      ),
    },
    { action: 'delete address', target: `${address}/${length}`, hints: HINTS },
  );
}

/** All addresses of the socket's namespace, or of one link. */
export function listAddresses(route: NetlinkSocket, linkIndex = 0): Address[] {
  return route
    .dump({ type: RTM_GETADDR, payload: ifaddrmsg(0, 0, linkIndex) }, { action: 'list', target: 'addresses' })
    .map(decodeAddress)
    .filter((address) => address !== undefined);
}

/** Reads RTM_NEWADDR; undefined for other messages and other families. Throws NetlinkFormatError. */
export function decodeAddress(message: Message): Address | undefined {
  if (message.type !== RTM_NEWADDR) return undefined;
  const attributes = decodeAttributes(behindHeader(message.payload, IFADDRMSG_BYTES));
  // On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL is ours (IPv4 only has it always).
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (bytes === undefined || (bytes.length !== 4 && bytes.length !== 16)) return undefined;
  return {
    family: bytes.length === 4 ? 4 : 6,
    address: addressText(bytes),
    length: read.u8(message.payload.subarray(1)),
    scope: read.u8(message.payload.subarray(3)),
    linkIndex: read.u32(message.payload.subarray(4)),
  };
}
