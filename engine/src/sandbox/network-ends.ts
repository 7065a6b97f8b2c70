// The two ends of a sandbox's link: what is set on each once the link is there. Both are done in one go, without waiting.
import { addAddress } from '../kernel/netlink/address.ts';
import { getLink, setLink } from '../kernel/netlink/link.ts';
import { setTokenBucket } from '../kernel/netlink/queueing.ts';
import { addRoute } from '../kernel/netlink/route.ts';
import { NETLINK_ROUTE, NetlinkSocket } from '../kernel/netlink/socket.ts';
import { SLOT_LENGTH } from '../model/address-pool.ts';
import { isErrno } from '../model/engine-error.ts';
import type { NetworkLimits } from './network-rules.ts';

/** The link's name inside the sandbox. */
export const INSIDE_NAME = 'eth0';
const LOOPBACK = 'lo';

/** Address and rate of the host's end; before the other end is up. */
export function configureHostEnd(route: NetlinkSocket, link: string, address: string, limits: NetworkLimits): void {
  const { index } = getLink(route, link);
  // Before there is a carrier: with it the kernel would give itself a link-local address, and ARP, which the table does
  // not see, would tell the sandbox which other addresses the host has.
  setLink(route, index, { ipv6LinkLocal: false, arpOwnOnly: true });
  addAddress(route, index, { address, length: SLOT_LENGTH });
  try {
    setTokenBucket(route, index, limits);
  } catch (error) {
    // A kernel without tbf: the sandbox's downloads are unlimited then; doctor says so. Uploads are limited by a rule.
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

/** Loopback and eth0 up, the address, the way out. Its own /30 is all that eth0 reaches without the gateway. */
export function configureInside(netns: number, address: string, gateway: string): void {
  const route = new NetlinkSocket(NETLINK_ROUTE, netns);
  try {
    setLink(route, LOOPBACK, { up: true });
    const { index } = getLink(route, INSIDE_NAME);
    setLink(route, index, { up: true });
    addAddress(route, index, { address, length: SLOT_LENGTH });
    addRoute(route, { to: 'default', via: gateway });
  } finally {
    route.close();
  }
}
