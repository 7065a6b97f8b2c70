// nftables over nfnetlink: transactions on one table, and what the kernel says is there (tables, elements, counters).
// The words of rules are in nft-expression.ts, the messages in nft-change.ts.
import { SysError } from '../../model/engine-error.ts';
import { addressText } from '../../model/ip-address.ts';
import {
  attribute,
  behindHeader,
  decodeAttributeList,
  decodeAttributes,
  encodeAttributes,
  read,
  type Message,
} from './message.ts';
import {
  NFNL_MSG_BATCH_BEGIN,
  NFNL_MSG_BATCH_END,
  NFNL_SUBSYS_NFTABLES,
  NFPROTO_INET,
  NFT,
  encodeChange,
  nfgenmsg,
  type Change,
  type SetSettings,
} from './nft-change.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from './socket.ts';

const NFGENMSG_BYTES = 4;
const ELEMENT_INTERVAL_END = 1;
/** Elements in one message: NFTA_SET_ELEM_LIST_ELEMENTS has a 16-bit length, an element with state some 100 bytes. */
const ELEMENTS_AT_ONCE = 256;

const NFNLGRP_NFTABLES = 7;
const DELETIONS: readonly number[] = [NFT.delTable, NFT.delChain, NFT.delRule, NFT.delSet, NFT.delElement];

const HINTS = {
  EEXIST: 'it is there already',
  ENOENT: 'the table, chain, set or element is not there, or the kernel lacks an expression of the rule',
  EPERM: 'changing nftables needs CAP_NET_ADMIN over the network namespace',
  EBUSY: 'something still refers to it',
  ENOTSUP: 'the kernel lacks a part of nftables',
};

/** Makes all changes of one table (family inet) or, where one of them fails, none. */
export function commit(socket: NetlinkSocket, table: string, changes: readonly Change[]): void {
  if (changes.length === 0) return;
  const messages = changes.flatMap(divide).map((change) => encodeChange(table, change));
  const batch = { flags: 0, payload: nfgenmsg(0, NFNL_SUBSYS_NFTABLES) };
  socket.transaction(
    [{ type: NFNL_MSG_BATCH_BEGIN, ...batch }, ...messages, { type: NFNL_MSG_BATCH_END, ...batch }],
    messages.length,
    { action: 'change nftables table', target: table, hints: HINTS },
  );
}

function divide(change: Change): Change[] {
  if (!('elements' in change)) return [change];
  const parts: Change[] = [];
  for (let at = 0; at < change.elements.length; at += ELEMENTS_AT_ONCE)
    parts.push({ ...change, elements: change.elements.slice(at, at + ELEMENTS_AT_ONCE) });
  return parts;
}

function list(socket: NetlinkSocket, message: number, table: string | undefined, more: [number, string][]): Message[] {
  const attributes = more.map(([type, value]) => attribute.string(type, value));
  if (table !== undefined) attributes.unshift(attribute.string(1, table));
  return socket.dump(
    {
      type: (NFNL_SUBSYS_NFTABLES << 8) | message,
      payload: encodeAttributes(attributes, nfgenmsg(NFPROTO_INET)),
    },
    { action: 'list nftables', target: table ?? 'tables', hints: HINTS },
  );
}

const decode = (message: Message): Map<number, Uint8Array> =>
  decodeAttributes(behindHeader(message.payload, NFGENMSG_BYTES));

/** Names of all tables of the family inet. */
export function listTables(socket: NetlinkSocket): string[] {
  return list(socket, NFT.getTable, undefined, []).flatMap((message) => {
    const name = decode(message).get(1);
    return name === undefined ? [] : [read.string(name)];
  });
}

/** Keys of a set: names, addresses, ports; of intervals `first` and `end` (the first address behind). Undefined where there is no such set. */
export function listElements(socket: NetlinkSocket, table: string, set: SetSettings): string[] | undefined {
  let messages: Message[];
  try {
    messages = list(socket, NFT.getElement, table, [[2, set.name]]);
  } catch (error) {
    if (error instanceof SysError && error.errno === 'ENOENT') return undefined;
    throw error;
  }
  const keys: string[] = [];
  for (const message of messages) {
    const elements = decode(message).get(3);
    for (const { payload } of elements === undefined ? [] : decodeAttributeList(elements)) {
      const element = decodeAttributes(payload);
      const flags = element.get(3);
      if (flags !== undefined && (read.be32(flags) & ELEMENT_INTERVAL_END) !== 0) continue;
      const value = decodeAttributes(element.get(1) ?? new Uint8Array(0)).get(1);
      if (value !== undefined) keys.push(keyText(set, value));
    }
  }
  return keys;
}

function keyText({ key }: SetSettings, value: Uint8Array): string {
  if (key === 'ifname') return read.string(value);
  return key === 'inet_service' ? String(read.be16(value)) : addressText(value.subarray(0, 4));
}

export interface RuleCount {
  readonly chain: string;
  /** The rule's comment: what it is known by. */
  readonly comment: string | undefined;
  readonly packets: bigint;
  readonly bytes: bigint;
}

/** The counters of a table's rules; rules without one are left out. */
export function listCounters(socket: NetlinkSocket, table: string): RuleCount[] {
  return list(socket, NFT.getRule, table, []).flatMap((message) => {
    const rule = decode(message);
    const comment = rule.get(7);
    const chain = rule.get(2);
    for (const { payload } of decodeAttributeList(rule.get(4) ?? new Uint8Array(0))) {
      const expression = decodeAttributes(payload);
      const name = expression.get(1);
      if (name === undefined || read.string(name) !== 'counter') continue;
      const count = decodeAttributes(expression.get(2) ?? new Uint8Array(0));
      return [
        {
          chain: chain === undefined ? '' : read.string(chain),
          comment: comment === undefined ? undefined : commentText(comment),
          packets: read.be64(count.get(2) ?? new Uint8Array(8)),
          bytes: read.be64(count.get(1) ?? new Uint8Array(8)),
        },
      ];
    }
    return [];
  });
}

/** User data: {type, length, value}…; type 0 is the comment. */
function commentText(data: Uint8Array): string | undefined {
  for (let at = 0; at + 2 <= data.length; at += 2 + (data[at + 1] ?? 0))
    if (data[at] === 0) return read.string(data.subarray(at + 2, at + 2 + (data[at + 1] ?? 0)));
  return undefined;
}

/** A socket that hears of every change of rules in its network namespace: for `takenFrom`. */
export function watchRules(namespace?: number): NetlinkSocket {
  const socket = new NetlinkSocket(NETLINK_NETFILTER, namespace);
  socket.subscribe(NFNLGRP_NFTABLES);
  return socket;
}

/** Tables from which anybody took something since the last time; undefined where there was too much to hear. */
export function takenFrom(watch: NetlinkSocket): Set<string> | undefined {
  const messages = watch.drain({ action: 'watch', target: 'nftables' });
  if (messages === undefined) return undefined;
  const tables = new Set<string>();
  for (const message of messages) {
    if (message.type >> 8 !== NFNL_SUBSYS_NFTABLES || !DELETIONS.includes(message.type & 255)) continue;
    // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE …: the first attribute of all of them.
    const name = decode(message).get(1);
    if (name !== undefined) tables.add(read.string(name));
  }
  return tables;
}
