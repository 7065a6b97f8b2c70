// The bytes of netlink: message headers, attributes, acknowledgements (netlink(7), linux/netlink.h). Pure: no socket, no
// I/O. Never reads past what it was given, never loops on a length of nothing; the only error it throws is NetlinkFormatError.

/** Bytes that are not netlink: a length shorter than its header, or longer than what is there. */
export class NetlinkFormatError extends Error {
  override readonly name = 'NetlinkFormatError';
}

export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

export const NLM_F_REQUEST = 0x1;
export const NLM_F_MULTI = 0x2;
export const NLM_F_ACK = 0x4;
/** The list changed while the kernel walked it: what was read may lack entries. */
export const NLM_F_DUMP_INTR = 0x10;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
export const NLM_F_APPEND = 0x800;
export const NLM_F_REPLACE = 0x100;
/** NLM_F_ROOT | NLM_F_MATCH. */
export const NLM_F_DUMP = 0x300;
/** On an error: the request is not repeated in full behind its header. */
const NLM_F_CAPPED = 0x100;
const NLM_F_ACK_TLVS = 0x200;

const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** Marks an attribute that holds attributes. */
export const NLA_F_NESTED = 0x8000;
/** Strips NLA_F_NESTED and NLA_F_NET_BYTEORDER. */
const NLA_TYPE_MASK = 0x3fff;

export interface Message {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port of the sender's socket; 0 is the kernel. */
  readonly port: number;
  readonly payload: Uint8Array;
}

/** `type` as it goes on the wire, NLA_F_NESTED included. */
export interface Attribute {
  readonly type: number;
  readonly payload: Uint8Array;
}

const align = (length: number): number => (length + 3) & ~3;
const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const utf8 = new TextEncoder();
const fromUtf8 = new TextDecoder();

function number(length: number, write: (data: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(view(bytes));
  return bytes;
}

/** Attributes by the type of what they carry. `le*` is the byte order of the machine, `be*` that of the network. */
export const attribute = {
  bytes: (type: number, payload: Uint8Array): Attribute => ({ type, payload }),
  flag: (type: number): Attribute => ({ type, payload: new Uint8Array(0) }),
  /** NUL-terminated, as the kernel's NLA_NUL_STRING wants it. */
  string: (type: number, text: string): Attribute => ({ type, payload: utf8.encode(`${text}\0`) }),
  u8: (type: number, value: number): Attribute => ({ type, payload: Uint8Array.of(value) }),
  u16: (type: number, value: number): Attribute => ({
    type,
    payload: number(2, (data) => data.setUint16(0, value, true)),
  }),
  u32: (type: number, value: number): Attribute => ({
    type,
    payload: number(4, (data) => data.setUint32(0, value, true)),
  }),
  u64: (type: number, value: bigint): Attribute => ({
    type,
    payload: number(8, (data) => data.setBigUint64(0, value, true)),
  }),
  be16: (type: number, value: number): Attribute => ({ type, payload: number(2, (data) => data.setUint16(0, value)) }),
  be32: (type: number, value: number): Attribute => ({ type, payload: number(4, (data) => data.setUint32(0, value)) }),
  be64: (type: number, value: bigint): Attribute => ({
    type,
    payload: number(8, (data) => data.setBigUint64(0, value)),
  }),
  nest: (type: number, children: readonly Attribute[]): Attribute => ({
    type: type | NLA_F_NESTED,
    payload: encodeAttributes(children),
  }),
};

/** Lays attributes one behind the other, each padded to four bytes. */
export function encodeAttributes(attributes: readonly Attribute[], before: Uint8Array = new Uint8Array(0)): Uint8Array {
  let length = align(before.length);
  for (const { type, payload } of attributes) {
    if (payload.length + ATTRIBUTE_HEADER_BYTES > 0xffff)
      throw new NetlinkFormatError(`attribute ${type & NLA_TYPE_MASK} has ${payload.length} bytes; 65531 is the most`);
    length += align(ATTRIBUTE_HEADER_BYTES + payload.length);
  }
  const bytes = new Uint8Array(length);
  bytes.set(before);
  const data = view(bytes);
  let at = align(before.length);
  for (const { type, payload } of attributes) {
    data.setUint16(at, ATTRIBUTE_HEADER_BYTES + payload.length, true);
    data.setUint16(at + 2, type, true);
    bytes.set(payload, at + ATTRIBUTE_HEADER_BYTES);
    at += align(ATTRIBUTE_HEADER_BYTES + payload.length);
  }
  return bytes;
}

/** One message with its header; the length is that of header and payload. */
export function encodeMessage(message: Message): Uint8Array {
  const bytes = new Uint8Array(align(HEADER_BYTES + message.payload.length));
  const data = view(bytes);
  data.setUint32(0, HEADER_BYTES + message.payload.length, true);
  data.setUint16(4, message.type, true);
  data.setUint16(6, message.flags, true);
  data.setUint32(8, message.sequence, true);
  data.setUint32(12, message.port, true);
  bytes.set(message.payload, HEADER_BYTES);
  return bytes;
}

/** All messages of one datagram. Payloads are windows on `bytes`, not copies. */
export function decodeMessages(bytes: Uint8Array): Message[] {
  const data = view(bytes);
  const messages: Message[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes.length - at < HEADER_BYTES)
      throw new NetlinkFormatError(`${bytes.length - at} bytes are left, a message header has ${HEADER_BYTES}`);
    const length = data.getUint32(at, true);
    if (length < HEADER_BYTES || length > bytes.length - at)
      throw new NetlinkFormatError(`a message says it has ${length} bytes, ${bytes.length - at} are left`);
    messages.push({
      type: data.getUint16(at + 4, true),
      flags: data.getUint16(at + 6, true),
      sequence: data.getUint32(at + 8, true),
      port: data.getUint32(at + 12, true),
      payload: bytes.subarray(at + HEADER_BYTES, at + length),
    });
    // The last message may lack its padding; `length` fits, so the sum cannot overflow.
    at += Math.ceil(length / 4) * 4;
  }
  return messages;
}

/** Attributes in order, types without their flag bits: for lists, where a type repeats. */
export function decodeAttributeList(bytes: Uint8Array): Attribute[] {
  const data = view(bytes);
  const attributes: Attribute[] = [];
  let at = 0;
  // Up to three bytes of padding may trail; the kernel's nla_ok() ignores them too.
  while (bytes.length - at >= ATTRIBUTE_HEADER_BYTES) {
    const length = data.getUint16(at, true);
    if (length < ATTRIBUTE_HEADER_BYTES || length > bytes.length - at)
      throw new NetlinkFormatError(`an attribute says it has ${length} bytes, ${bytes.length - at} are left`);
    attributes.push({
      type: data.getUint16(at + 2, true) & NLA_TYPE_MASK,
      payload: bytes.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length),
    });
    at += align(length);
  }
  return attributes;
}

/** Attributes by type; of a repeated type the last one counts, as in the kernel's nla_parse(). */
export function decodeAttributes(bytes: Uint8Array): Map<number, Uint8Array> {
  return new Map(decodeAttributeList(bytes).map(({ type, payload }) => [type, payload]));
}

function exactly(bytes: Uint8Array, length: number): DataView {
  if (bytes.length < length) throw new NetlinkFormatError(`a number of ${length} bytes has only ${bytes.length}`);
  return view(bytes);
}

/** Reads what an attribute carries; each throws NetlinkFormatError where the bytes are too few. */
export const read = {
  u8: (bytes: Uint8Array): number => exactly(bytes, 1).getUint8(0),
  u16: (bytes: Uint8Array): number => exactly(bytes, 2).getUint16(0, true),
  u32: (bytes: Uint8Array): number => exactly(bytes, 4).getUint32(0, true),
  i32: (bytes: Uint8Array): number => exactly(bytes, 4).getInt32(0, true),
  be16: (bytes: Uint8Array): number => exactly(bytes, 2).getUint16(0),
  be32: (bytes: Uint8Array): number => exactly(bytes, 4).getUint32(0),
  be64: (bytes: Uint8Array): bigint => exactly(bytes, 8).getBigUint64(0),
  /** Up to the first NUL, or all of it. */
  string: (bytes: Uint8Array): string => {
    const end = bytes.indexOf(0);
    return fromUtf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
  },
};

/** The part of a payload behind a fixed header of `headerBytes` (ifinfomsg, nfgenmsg …). */
export function behindHeader(payload: Uint8Array, headerBytes: number): Uint8Array {
  if (payload.length < headerBytes)
    throw new NetlinkFormatError(`a payload of ${payload.length} bytes has no header of ${headerBytes}`);
  return payload.subarray(align(headerBytes));
}

export interface Acknowledgement {
  /** errno, positive; 0 is success. */
  readonly errno: number;
  /** What the kernel says about it: NLMSGERR_ATTR_MSG. */
  readonly text: string | undefined;
  /** Type of the attribute that the kernel missed in the request: NLMSGERR_ATTR_MISS_TYPE. */
  readonly missingType: number | undefined;
}

/** Reads NLMSG_ERROR, and NLMSG_DONE, which carries an errno too. Extended texts want NETLINK_EXT_ACK on the socket. */
export function decodeAcknowledgement(message: Message): Acknowledgement {
  const { payload } = message;
  // An empty NLMSG_DONE is success: kernels before 2.6 sent no errno, and nothing says they must.
  const errno = message.type === NLMSG_DONE && payload.length < 4 ? 0 : 0 - read.i32(payload);
  if (errno < 0) throw new NetlinkFormatError(`an acknowledgement carries the errno ${errno}`);
  let text: string | undefined;
  let missingType: number | undefined;
  if ((message.flags & NLM_F_ACK_TLVS) !== 0) {
    let at = 4;
    if (message.type === NLMSG_ERROR) {
      const request = behindHeader(payload, 4);
      const length = (message.flags & NLM_F_CAPPED) !== 0 ? HEADER_BYTES : read.u32(request);
      if (length < HEADER_BYTES || length > request.length)
        throw new NetlinkFormatError(`an error repeats a request of ${length} bytes, ${request.length} are left`);
      at += Math.ceil(length / 4) * 4;
    }
    const attributes = decodeAttributes(payload.subarray(at));
    const said = attributes.get(1);
    if (said !== undefined) text = read.string(said);
    const missing = attributes.get(5);
    if (missing !== undefined) missingType = read.u32(missing);
  }
  return { errno, text, missingType };
}
