// The words of nftables rules: each match and statement as the kernel's expressions for it, in their order
// (linux/netfilter/nf_tables.h, nft(8)). Pure. A rule is a list of these.
import { addressBytes } from '../../model/ip-address.ts';
import { attribute, type Attribute } from './message.ts';

/** One expression of the kernel: its name and what it is told. */
export interface Expression {
  readonly name: string;
  readonly settings: readonly Attribute[];
}

/** A match or statement: what is loaded, and what is done with it. */
export type Term = readonly Expression[];

const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const IFNAMSIZ = 16;

const META = { mark: 3, iifname: 6, oifname: 7, nfproto: 15, l4proto: 16 };
const COMPARE = { '==': 0, '!=': 1, '<': 2, '<=': 3, '>': 4, '>=': 5 };
const CT_STATE = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 };
const PAYLOAD_NETWORK = 1;
const PAYLOAD_TRANSPORT = 2;
const NFT_INVERT = 1;
const UNITS = { second: 1n, minute: 60n, hour: 3600n };
const PROTOCOLS = { icmp: 1, tcp: 6, udp: 17 };
const ICMP_TYPES = { 'echo-reply': 0, 'echo-request': 8 };
const VERDICTS = { drop: 0, accept: 1 };
const NFT_JUMP = 0xffff_fffd;
const NFT_RETURN = 0xffff_fffb;
const FIB_RESULT_OIF = 1;
const FIB_RESULT_TYPE = 3;
const FIB_SADDR = 1;
const FIB_DADDR = 2;
const FIB_IIF = 8;
const FIB_PRESENT = 32;
const RTN_LOCAL = 2;

export type Comparison = keyof typeof COMPARE;
export type CtState = keyof typeof CT_STATE;

/** What a match compares with: a value of the field's own kind, or a named set. */
export type Operand<T extends string | number> = T | { readonly set: string; readonly not?: boolean };

/** NFTA_DATA_VALUE inside the attribute that holds it. */
export const dataValue = (type: number, value: Uint8Array): Attribute =>
  attribute.nest(type, [attribute.bytes(1, value)]);

/** A link's name as a key: sixteen bytes, NULs behind it. */
export function interfaceKey(name: string): Uint8Array {
  const bytes = new Uint8Array(IFNAMSIZ);
  bytes.set(new TextEncoder().encode(name).subarray(0, IFNAMSIZ - 1));
  return bytes;
}

const be16 = (value: number): Uint8Array => Uint8Array.of(value >> 8, value & 255);

const compare = (operator: Comparison, value: Uint8Array): Expression => ({
  name: 'cmp',
  settings: [attribute.be32(1, NFT_REG_1), attribute.be32(2, COMPARE[operator]), dataValue(3, value)],
});

const lookup = (set: string, not: boolean): Expression => ({
  name: 'lookup',
  settings: [attribute.string(1, set), attribute.be32(2, NFT_REG_1), ...(not ? [attribute.be32(5, NFT_INVERT)] : [])],
});

function test<T extends string | number>(operand: Operand<T>, toBytes: (value: T) => Uint8Array): Expression {
  if (typeof operand === 'object') return lookup(operand.set, operand.not === true);
  return compare('==', toBytes(operand));
}

const loadMeta = (key: keyof typeof META): Expression => ({
  name: 'meta',
  settings: [attribute.be32(1, NFT_REG_1), attribute.be32(2, META[key])],
});

const loadPayload = (base: number, offset: number, length: number): Expression => ({
  name: 'payload',
  settings: [
    attribute.be32(1, NFT_REG_1),
    attribute.be32(2, base),
    attribute.be32(3, offset),
    attribute.be32(4, length),
  ],
});

/** The link a packet came in by. */
export const iifname = (operand: Operand<string>): Term => [loadMeta('iifname'), test(operand, interfaceKey)];
/** The link a packet goes out by. */
export const oifname = (operand: Operand<string>): Term => [loadMeta('oifname'), test(operand, interfaceKey)];
export const nfproto = (family: 'ipv4' | 'ipv6'): Term => [
  loadMeta('nfproto'),
  compare('==', Uint8Array.of(family === 'ipv4' ? 2 : 10)),
];
export const l4proto = (protocol: keyof typeof PROTOCOLS): Term => [
  loadMeta('l4proto'),
  compare('==', Uint8Array.of(PROTOCOLS[protocol])),
];

/** IPv4 only, which it checks itself: sixteen bytes on are something else in an IPv6 header. */
export const ipSaddr = (operand: Operand<string>): Term => [
  ...nfproto('ipv4'),
  loadPayload(PAYLOAD_NETWORK, 12, 4),
  test(operand, addressBytes),
];
export const ipDaddr = (operand: Operand<string>): Term => [
  ...nfproto('ipv4'),
  loadPayload(PAYLOAD_NETWORK, 16, 4),
  test(operand, addressBytes),
];
export const sport = (protocol: 'tcp' | 'udp', operand: Operand<number>): Term => [
  ...l4proto(protocol),
  loadPayload(PAYLOAD_TRANSPORT, 0, 2),
  test(operand, be16),
];
export const dport = (protocol: 'tcp' | 'udp', operand: Operand<number>): Term => [
  ...l4proto(protocol),
  loadPayload(PAYLOAD_TRANSPORT, 2, 2),
  test(operand, be16),
];
export const icmpType = (type: keyof typeof ICMP_TYPES): Term => [
  ...nfproto('ipv4'),
  ...l4proto('icmp'),
  loadPayload(PAYLOAD_TRANSPORT, 0, 1),
  compare('==', Uint8Array.of(ICMP_TYPES[type])),
];

/** Connection tracking's opinion: any of these states. */
export function ctState(...states: CtState[]): Term {
  const mask = new Uint8Array(4);
  // The state is a bit set in the machine's byte order, unlike all that comes from packets.
  new DataView(mask.buffer).setUint32(
    0,
    states.reduce((bits, state) => bits | CT_STATE[state], 0),
    true,
  );
  return [
    { name: 'ct', settings: [attribute.be32(1, NFT_REG_1), attribute.be32(2, 0)] },
    {
      name: 'bitwise',
      settings: [
        attribute.be32(1, NFT_REG_1),
        attribute.be32(2, NFT_REG_1),
        attribute.be32(3, 4),
        dataValue(4, mask),
        dataValue(5, new Uint8Array(4)),
      ],
    },
    compare('!=', new Uint8Array(4)),
  ];
}

/** `reply`: the packet goes against the direction in which its connection was opened. */
export const ctDirection = (direction: 'original' | 'reply'): Term => [
  { name: 'ct', settings: [attribute.be32(1, NFT_REG_1), attribute.be32(2, 1)] },
  compare('==', Uint8Array.of(direction === 'original' ? 0 : 1)),
];

/** Matches when more than `most` connections of this rule (or set element) are open. */
export const ctCountOver = (most: number): Term => [
  { name: 'connlimit', settings: [attribute.be32(1, most), attribute.be32(2, NFT_INVERT)] },
];

/** Matches where no route leads back to the source by the link the packet came in by: the source is forged. */
export const reversePathMissing: Term = [
  {
    name: 'fib',
    settings: [
      attribute.be32(1, NFT_REG_1),
      attribute.be32(2, FIB_RESULT_OIF),
      attribute.be32(3, FIB_SADDR | FIB_IIF | FIB_PRESENT),
    ],
  },
  // Four bytes: the kernel clears the rest of the register behind its answer of one byte, and `nft` compares as many.
  compare('==', new Uint8Array(4)),
];

/** Matches what is addressed to the very link it came in by: `fib daddr . iif type local`. Other addresses of the host do not count. */
export const toOwnLink: Term = [
  {
    name: 'fib',
    settings: [
      attribute.be32(1, NFT_REG_1),
      attribute.be32(2, FIB_RESULT_TYPE),
      attribute.be32(3, FIB_DADDR | FIB_IIF),
    ],
  },
  compare('==', Uint8Array.of(RTN_LOCAL, 0, 0, 0)),
];

export interface Rate {
  readonly count: number;
  readonly of: 'packets' | 'bytes';
  readonly per: keyof typeof UNITS;
  readonly burst: number;
}

/** A token bucket: matches while there are tokens; with `over`, once there are none. */
export const limit = (rate: Rate, over = false): Term => [
  {
    name: 'limit',
    settings: [
      attribute.be64(1, BigInt(rate.count)),
      attribute.be64(2, UNITS[rate.per]),
      attribute.be32(3, rate.burst),
      attribute.be32(4, rate.of === 'packets' ? 0 : 1),
      attribute.be32(5, over ? NFT_INVERT : 0),
    ],
  },
];

/** Counts packets and bytes that come this far in the rule. */
export const counter: Term = [{ name: 'counter', settings: [attribute.be64(1, 0n), attribute.be64(2, 0n)] }];

/** Source address becomes that of the link the packet leaves by; in a nat chain at postrouting only. */
export const masquerade: Term = [{ name: 'masq', settings: [] }];

const immediate = (code: number, chain?: string): Term => [
  {
    name: 'immediate',
    settings: [
      attribute.be32(1, NFT_REG_VERDICT),
      attribute.nest(2, [
        attribute.nest(2, [attribute.be32(1, code), ...(chain === undefined ? [] : [attribute.string(2, chain)])]),
      ]),
    ],
  },
];
export const accept: Term = immediate(VERDICTS.accept);
export const drop: Term = immediate(VERDICTS.drop);
export const leave: Term = immediate(NFT_RETURN);
export const jump = (chain: string): Term => immediate(NFT_JUMP, chain);

/** One expression as an element of a list: NFTA_EXPR_NAME, NFTA_EXPR_DATA. */
export const encodeExpression = (type: number, { name, settings }: Expression): Attribute =>
  attribute.nest(type, [attribute.string(1, name), attribute.nest(2, settings)]);
