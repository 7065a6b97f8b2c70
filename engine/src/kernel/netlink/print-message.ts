// Netlink requests as a person reads them: the message's name, its flags, its attributes. Pure. linux/rtnetlink.h,
// linux/if_link.h, linux/if_addr.h, linux/netfilter/nf_tables.h.
import { decodeAttributeList, NLA_F_NESTED, NLM_F_APPEND, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE } from './message.ts';

const ROUTE_VERBS = ['NEW', 'DEL', 'GET', 'SET'] as const;
const ROUTE_OBJECTS = ['LINK', 'ADDR', 'ROUTE', 'NEIGH', 'RULE', 'QDISC', 'TCLASS', 'TFILTER'] as const;
const NFT_MESSAGES = [
  'NEWTABLE GETTABLE DELTABLE NEWCHAIN GETCHAIN DELCHAIN NEWRULE GETRULE DELRULE NEWSET GETSET DELSET',
  'NEWSETELEM GETSETELEM DELSETELEM NEWGEN GETGEN TRACE NEWOBJ GETOBJ DELOBJ GETOBJ_RESET NEWFLOWTABLE GETFLOWTABLE DELFLOWTABLE',
]
  .join(' ')
  .split(' ');
const NFNL_SUBSYS_NFTABLES = 10;

/** Fixed header in front of the attributes, and the attributes' names by number. */
const LAYOUT: Readonly<Record<string, { header: number; names: Readonly<Record<number, string>> }>> = {
  LINK: {
    header: 16,
    names: {
      1: 'ADDRESS',
      3: 'IFNAME',
      4: 'MTU',
      5: 'LINK',
      10: 'MASTER',
      13: 'TXQLEN',
      18: 'LINKINFO',
      19: 'NET_NS_PID',
      28: 'NET_NS_FD',
      29: 'EXT_MASK',
    },
  },
  ADDR: { header: 8, names: { 1: 'ADDRESS', 2: 'LOCAL', 3: 'LABEL', 4: 'BROADCAST', 8: 'FLAGS' } },
  ROUTE: {
    header: 12,
    names: { 1: 'DST', 3: 'IIF', 4: 'OIF', 5: 'GATEWAY', 6: 'PRIORITY', 7: 'PREFSRC', 15: 'TABLE' },
  },
  TABLE: { header: 4, names: { 1: 'NAME', 2: 'FLAGS' } },
  CHAIN: { header: 4, names: { 1: 'TABLE', 3: 'NAME', 4: 'HOOK', 5: 'POLICY', 7: 'TYPE' } },
  RULE: { header: 4, names: { 1: 'TABLE', 2: 'CHAIN', 3: 'HANDLE', 4: 'EXPRESSIONS' } },
  SET: { header: 4, names: { 1: 'TABLE', 2: 'NAME', 3: 'FLAGS', 4: 'KEY_TYPE', 5: 'KEY_LEN' } },
  SETELEM: { header: 4, names: { 1: 'TABLE', 2: 'SET', 3: 'ELEMENTS' } },
};

/** "RTM_NEWLINK", "NFT_MSG_NEWRULE"; batches of nftables begin and end with messages of their own. */
export function messageName(protocol: 'route' | 'netfilter', type: number): string {
  if (protocol === 'route' && type >= 16) {
    const object = ROUTE_OBJECTS[(type - 16) >> 2];
    return object === undefined ? `RTM ${type}` : `RTM_${ROUTE_VERBS[type & 3]}${object}`;
  }
  if (type === 16) return 'NFNL_MSG_BATCH_BEGIN';
  if (type === 17) return 'NFNL_MSG_BATCH_END';
  const name = type >> 8 === NFNL_SUBSYS_NFTABLES ? NFT_MESSAGES[type & 0xff] : undefined;
  return name === undefined ? `netlink ${type}` : `NFT_MSG_${name}`;
}

/** Flags that say what to do when the object is there, or is not. */
export function messageFlags(flags: number): string[] {
  const named = [
    [NLM_F_REPLACE, 'NLM_F_REPLACE'],
    [NLM_F_EXCL, 'NLM_F_EXCL'],
    [NLM_F_CREATE, 'NLM_F_CREATE'],
    [NLM_F_APPEND, 'NLM_F_APPEND'],
  ] as const;
  return named.filter(([bit]) => (flags & bit) !== 0).map(([, name]) => name);
}

/** `IFNAME="dk0"`, `MTU=1500`; attributes without a name here are left out, nested ones say how long they are. */
export function messageAttributes(name: string, payload: Uint8Array): string[] {
  const object = /_(?:NEW|DEL|GET|SET)([A-Z]+)$/.exec(name)?.[1] ?? '';
  const layout = LAYOUT[object];
  if (layout === undefined || payload.length < layout.header) return [];
  return decodeAttributeList(payload.subarray(layout.header)).flatMap(({ type, payload: value }) => {
    const known = layout.names[type & ~NLA_F_NESTED];
    return known === undefined ? [] : [`${known}=${printValue(value)}`];
  });
}

function printValue(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, -1));
  if (bytes.at(-1) === 0 && /^[\x20-\x7e]+$/.test(text)) return JSON.stringify(text);
  if (bytes.length === 4) return String(new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true));
  return bytes.length <= 8 ? Buffer.from(bytes).toString('hex') : `<${bytes.length} bytes>`;
}
