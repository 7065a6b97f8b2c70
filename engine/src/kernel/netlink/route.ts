// Routes over rtnetlink: add, delete, list (rtnetlink(7), linux/rtnetlink.h). Only the main table's unicast routes are made.
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

const RTM_NEWROUTE = 24;
const RTM_DELROUTE = 25;
const RTM_GETROUTE = 26;
const RTMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RTA_PREFSRC = 7;
const RTA_TABLE = 15;
const AF_INET = 2;
const AF_INET6 = 10;
const RTPROT_STATIC = 4;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RT_SCOPE_NOWHERE = 255;
const RTN_UNICAST = 1;
export const RT_TABLE_MAIN = 254;

export interface RouteSettings {
  /** Destination, or 'default'. */
  readonly to: Prefix | 'default';
  readonly via?: string;
  readonly linkIndex?: number;
}

export interface Route {
  readonly family: 4 | 6;
  /** `length` 0 is the default route. */
  readonly to: Prefix;
  readonly via: string | undefined;
  readonly linkIndex: number | undefined;
  readonly preferredSource: string | undefined;
  readonly table: number;
  /** RTN_*: 1 unicast, 2 local, 3 broadcast … */
  readonly type: number;
}

const HINTS = {
  EEXIST: 'there is such a route already',
  ESRCH: 'there is no such route',
  ENETUNREACH: 'its gateway is on no network of a link that is up',
  ENETDOWN: 'its link is down',
  ENODEV: 'there is no such link',
  EPERM: 'changing routes needs CAP_NET_ADMIN over the network namespace',
};

function payload({ to, via, linkIndex }: RouteSettings, scope: number): Uint8Array {
  const destination = to === 'default' ? undefined : addressBytes(to.address);
  const gateway = via === undefined ? undefined : addressBytes(via);
  const family = (destination ?? gateway)?.length === 16 ? AF_INET6 : AF_INET;
  const header = new Uint8Array(RTMSG_BYTES);
  header.set([family, to === 'default' ? 0 : to.length, 0, 0, RT_TABLE_MAIN, RTPROT_STATIC, scope, RTN_UNICAST]);
  const attributes = [];
  if (destination !== undefined) attributes.push(attribute.bytes(RTA_DST, destination));
  if (gateway !== undefined) attributes.push(attribute.bytes(RTA_GATEWAY, gateway));
  if (linkIndex !== undefined) attributes.push(attribute.u32(RTA_OIF, linkIndex));
  return encodeAttributes(attributes, header);
}

const text = ({ to, via }: RouteSettings): string =>
  `${to === 'default' ? to : `${to.address}/${to.length}`}${via === undefined ? '' : ` via ${via}`}`;

/** Adds a route by gateway, or by link alone for a network that begins right behind it. */
export function addRoute(route: NetlinkSocket, settings: RouteSettings): void {
  route.request(
    {
      type: RTM_NEWROUTE,
      flags: NLM_F_CREATE | NLM_F_EXCL,
      payload: payload(settings, settings.via === undefined ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE),
    },
    { action: 'add route', target: text(settings), hints: HINTS },
  );
}

export function deleteRoute(route: NetlinkSocket, settings: RouteSettings): void {
  route.request(
    // RT_SCOPE_NOWHERE matches a route of any scope (fib_table_delete()).
    { type: RTM_DELROUTE, payload: payload(settings, RT_SCOPE_NOWHERE) },
    { action: 'delete route', target: text(settings), hints: HINTS },
  );
}

/** Routes of both families and all tables (the kernel's own, local and broadcast, among them). */
export function listRoutes(route: NetlinkSocket): Route[] {
  return route
    .dump({ type: RTM_GETROUTE, payload: new Uint8Array(RTMSG_BYTES) }, { action: 'list', target: 'routes' })
    .map(decodeRoute)
    .filter((found) => found !== undefined);
}

/** Reads RTM_NEWROUTE; undefined for other messages and families. Throws NetlinkFormatError. */
export function decodeRoute(message: Message): Route | undefined {
  if (message.type !== RTM_NEWROUTE) return undefined;
  const attributes = decodeAttributes(behindHeader(message.payload, RTMSG_BYTES));
  const family = read.u8(message.payload);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const address = (type: number): string | undefined => {
    const bytes = attributes.get(type);
    return bytes === undefined || (bytes.length !== 4 && bytes.length !== 16) ? undefined : addressText(bytes);
  };
  const number = (type: number): number | undefined => {
    const bytes = attributes.get(type);
    return bytes === undefined ? undefined : read.u32(bytes);
  };
  return {
    family: family === AF_INET ? 4 : 6,
    to: {
      address: address(RTA_DST) ?? (family === AF_INET ? '0.0.0.0' : '::'),
      length: read.u8(message.payload.subarray(1)),
    },
    via: address(RTA_GATEWAY),
    linkIndex: number(RTA_OIF),
    preferredSource: address(RTA_PREFSRC),
    // Tables above 255 do not fit the header's byte.
    table: number(RTA_TABLE) ?? read.u8(message.payload.subarray(4)),
    type: read.u8(message.payload.subarray(7)),
  };
}
