// Changes to one nftables table as messages of nfnetlink: tables, base chains, rules, sets and their elements
// (linux/netfilter/nf_tables.h). Pure; nftables.ts sends them, all or none.
import { ipv4Range, parsePrefix } from '../../model/ip-address.ts';
import { NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, attribute, encodeAttributes, type Attribute } from './message.ts';
import { dataValue, encodeExpression, interfaceKey, type Term } from './nft-expression.ts';

export const NFNL_SUBSYS_NFTABLES = 10;
export const NFNL_MSG_BATCH_BEGIN = 0x10;
export const NFNL_MSG_BATCH_END = 0x11;
export const NFPROTO_INET = 1;

/** NFT_MSG_*: the lower byte of the type. */
export const NFT = {
  newTable: 0,
  getTable: 1,
  delTable: 2,
  newChain: 3,
  delChain: 5,
  newRule: 6,
  getRule: 7,
  delRule: 8,
  newSet: 9,
  delSet: 11,
  newElement: 12,
  getElement: 13,
  delElement: 14,
} as const;

const HOOKS = { prerouting: 0, input: 1, forward: 2, output: 3, postrouting: 4 } as const;
const SET_INTERVAL = 4;
const SET_EVAL = 32;
const ELEMENT_INTERVAL_END = 1;

/** What a set's keys are: nft(8)'s type (a number only its own tool looks at), bytes, byte order for that tool. */
const KEYS = {
  ifname: { type: 41, bytes: 16, byteOrder: 1 },
  ipv4_addr: { type: 7, bytes: 4, byteOrder: 2 },
  inet_service: { type: 13, bytes: 2, byteOrder: 2 },
} as const;
export type KeyType = keyof typeof KEYS;

export interface ChainSettings {
  readonly name: string;
  /** Without a hook the chain is only jumped to. */
  readonly hook?: keyof typeof HOOKS;
  readonly type?: 'filter' | 'nat';
  /** Lower comes first: -300 raw (before connection tracking), -200 conntrack, 0 filter, 100 source nat. */
  readonly priority?: number;
  readonly policy?: 'accept' | 'drop';
}

export interface SetSettings {
  readonly name: string;
  readonly key: KeyType;
  /** Keys are prefixes ("10.0.0.0/8"), not single addresses; only of ipv4_addr. */
  readonly intervals?: boolean;
  /** Elements carry limits or connection counts of their own. */
  readonly stateful?: boolean;
}

export interface Element {
  /** A link's name, an address, a port; a prefix in a set of intervals. */
  readonly key: string;
  /** What each packet that finds this element is put through; where it does not match, the rule ends. */
  readonly state?: Term;
}

export type Change =
  | { readonly add: 'table' }
  | { readonly delete: 'table' }
  | { readonly add: 'chain'; readonly chain: ChainSettings }
  | { readonly add: 'rule'; readonly chain: string; readonly terms: readonly Term[]; readonly comment?: string }
  | { readonly add: 'set'; readonly set: SetSettings }
  | { readonly add: 'elements'; readonly set: SetSettings; readonly elements: readonly Element[] }
  | { readonly delete: 'elements'; readonly set: SetSettings; readonly elements: readonly Element[] };

export interface NftMessage {
  readonly type: number;
  readonly flags: number;
  readonly payload: Uint8Array;
}

/** struct nfgenmsg: family, version 0, resource id in network order. */
export const nfgenmsg = (family: number, resource = 0): Uint8Array =>
  Uint8Array.of(family, 0, resource >> 8, resource & 255);

export const nftMessage = (message: number, flags: number, attributes: readonly Attribute[]): NftMessage => ({
  type: (NFNL_SUBSYS_NFTABLES << 8) | message,
  flags,
  payload: encodeAttributes(attributes, nfgenmsg(NFPROTO_INET)),
});

/** The message for one change of `table` (family inet). Throws `invalid_argument` for keys that are none. */
export function encodeChange(table: string, change: Change): NftMessage {
  if ('delete' in change) {
    if (change.delete === 'table') return nftMessage(NFT.delTable, 0, [attribute.string(1, table)]);
    return nftMessage(NFT.delElement, 0, elements(table, change.set, change.elements));
  }
  switch (change.add) {
    case 'table':
      return nftMessage(NFT.newTable, NLM_F_CREATE | NLM_F_EXCL, [attribute.string(1, table), attribute.be32(2, 0)]);
    case 'chain':
      return nftMessage(NFT.newChain, NLM_F_CREATE | NLM_F_EXCL, chain(table, change.chain));
    case 'rule':
      return nftMessage(NFT.newRule, NLM_F_CREATE | NLM_F_APPEND, [
        attribute.string(1, table),
        attribute.string(2, change.chain),
        attribute.nest(
          4,
          change.terms.flat().map((expression) => encodeExpression(1, expression)),
        ),
        // struct nftnl_udata: type 0 is a comment, as `nft` shows it.
        ...(change.comment === undefined ? [] : [attribute.bytes(7, userData(0, `${change.comment}\0`))]),
      ]);
    case 'set':
      return nftMessage(NFT.newSet, NLM_F_CREATE | NLM_F_EXCL, set(table, change.set));
    default:
      return nftMessage(NFT.newElement, NLM_F_CREATE, elements(table, change.set, change.elements));
  }
}

function userData(type: number, value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return Uint8Array.of(type, bytes.length, ...bytes);
}

function chain(table: string, { name, hook, type, priority, policy }: ChainSettings): Attribute[] {
  const attributes = [attribute.string(1, table), attribute.string(3, name)];
  if (hook === undefined) return attributes;
  return [
    ...attributes,
    attribute.nest(4, [attribute.be32(1, HOOKS[hook]), attribute.be32(2, priority ?? 0)]),
    attribute.be32(5, policy === 'drop' ? 0 : 1),
    attribute.string(7, type ?? 'filter'),
  ];
}

function set(table: string, { name, key, intervals, stateful }: SetSettings): Attribute[] {
  const { type, bytes, byteOrder } = KEYS[key];
  return [
    attribute.string(1, table),
    attribute.string(2, name),
    // A set that is evaluated is always a resizable hash: the only kind that can hold connection counts.
    attribute.be32(3, (intervals ? SET_INTERVAL : 0) | (stateful ? SET_EVAL : 0)),
    attribute.be32(4, type),
    attribute.be32(5, bytes),
    // The id by which rules of the same transaction could mean it; they use its name. The kernel wants one all the same.
    attribute.be32(10, 1),
    attribute.bytes(13, Uint8Array.of(0, 4, byteOrder, 0, 0, 0)),
  ];
}

function elements(table: string, settings: SetSettings, list: readonly Element[]): Attribute[] {
  const encoded = settings.intervals ? intervals(list) : list.map((element) => encodeElement(settings, element));
  return [
    attribute.string(1, table),
    attribute.string(2, settings.name),
    attribute.nest(
      3,
      encoded.map((attributes) => attribute.nest(1, attributes)),
    ),
  ];
}

function encodeElement({ key }: SetSettings, element: Element): Attribute[] {
  const state = (element.state ?? []).map((expression) => encodeExpression(7, expression));
  return [dataValue(1, keyBytes(key, element.key)), ...state];
}

function keyBytes(type: KeyType, key: string): Uint8Array {
  if (type === 'ifname') return interfaceKey(key);
  if (type === 'inet_service') return Uint8Array.of(Number(key) >> 8, Number(key) & 255);
  return numberBytes(ipv4Range({ address: key, length: 32 }).first);
}

function numberBytes(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** Each interval is two elements: where it begins, and, marked as an end, the first address behind it. */
function intervals(list: readonly Element[]): Attribute[][] {
  return list.flatMap(({ key }) => {
    const { first, last } = ipv4Range(parsePrefix(key.includes('/') ? key : `${key}/32`));
    const begin = [dataValue(1, numberBytes(first))];
    // Nothing is behind 255.255.255.255: such an interval stays open.
    if (last === 0xffff_ffff) return [begin];
    return [begin, [attribute.be32(3, ELEMENT_INTERVAL_END), dataValue(1, numberBytes(last + 1))]];
  });
}
