import { describe, expect, test } from 'vitest';
import {
  NLMSG_DONE,
  NLMSG_ERROR,
  NetlinkFormatError,
  attribute,
  behindHeader,
  decodeAcknowledgement,
  decodeAttributeList,
  decodeAttributes,
  decodeMessages,
  encodeAttributes,
  encodeMessage,
  read,
  type Message,
} from './message.ts';
import { decodeAddress } from './address.ts';
import { decodeLink } from './link.ts';
import { decodeRoute } from './route.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(/\s/g, ''), 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const only = (datagram: Uint8Array): Message => {
  const [message, ...more] = decodeMessages(datagram);
  if (message === undefined || more.length > 0) throw new Error('not one message');
  return message;
};

/** `ip link add vethA mtu 1400 type veth peer name eth0`, as iproute2 6.1 sent it. */
const IP_LINK_ADD = bytes(`
  640000001000050 6a6fd006b00000000 00000000000000000000000000000000
  0800040078050000 0a00030076657468 41000000 30001200 0800010076657468
  24000200 20000100 00000000000000000000000000000000 0900030065746830 00000000`);

/** The kernel's answer to `ip link add lo type bridge`: EEXIST, the whole request behind it. */
const EEXIST = bytes(`
  4c00000002000000a6fd006b971e0000 efffffff 3800000010000506a6fd006b00000000
  00000000000000000000000000000000 070003006c6f0000 100012000a000100627269646765 0000`);

describe('recorded bytes', () => {
  test('a request is laid out as iproute2 lays it out', () => {
    const peer = encodeAttributes([attribute.string(3, 'eth0')], new Uint8Array(16));
    // iproute2 marks no attribute as nested and ends the kind without a NUL; the kernel takes both forms.
    const raw = (type: number, children: Parameters<typeof encodeAttributes>[0]) =>
      attribute.bytes(type, encodeAttributes(children));
    const payload = encodeAttributes(
      [
        attribute.u32(4, 1400),
        attribute.string(3, 'vethA'),
        raw(18, [attribute.bytes(1, Buffer.from('veth')), raw(2, [attribute.bytes(1, peer)])]),
      ],
      new Uint8Array(16),
    );
    const message = encodeMessage({ type: 16, flags: 0x605, sequence: 0x6b00fda6, port: 0, payload });
    expect(hex(message)).toBe(hex(IP_LINK_ADD));
  });

  test('a request is read back', () => {
    const message = only(IP_LINK_ADD);
    expect(message).toMatchObject({ type: 16, flags: 0x605, sequence: 0x6b00fda6, port: 0 });
    const attributes = decodeAttributes(behindHeader(message.payload, 16));
    expect([...attributes.keys()]).toEqual([4, 3, 18]);
    expect(read.u32(attributes.get(4) ?? new Uint8Array(0))).toBe(1400);
    expect(read.string(attributes.get(3) ?? new Uint8Array(0))).toBe('vethA');
    const info = decodeAttributes(attributes.get(18) ?? new Uint8Array(0));
    expect(read.string(info.get(1) ?? new Uint8Array(0))).toBe('veth');
  });

  test('a refusal without extended text', () => {
    expect(decodeAcknowledgement(only(EEXIST))).toEqual({ errno: 17, text: undefined, missingType: undefined });
  });

  test('a refusal with extended text, its request cut to the header', () => {
    const text = 'Unknown device type';
    const header = '3c000000 1000 0506 01000000 00000000';
    const tlv = encodeAttributes([attribute.string(1, text), attribute.u32(5, 7)]);
    const message = encodeMessage({
      type: NLMSG_ERROR,
      flags: 0x300,
      sequence: 1,
      port: 0,
      payload: Uint8Array.from([...bytes('a1ffffff'), ...bytes(header), ...tlv]),
    });
    expect(decodeAcknowledgement(only(message))).toEqual({ errno: 95, text, missingType: 7 });
  });

  test('the end of a dump carries an errno, or nothing', () => {
    const done = (payload: Uint8Array): Message => ({ type: NLMSG_DONE, flags: 2, sequence: 1, port: 0, payload });
    expect(decodeAcknowledgement(done(bytes('00000000'))).errno).toBe(0);
    expect(decodeAcknowledgement(done(new Uint8Array(0))).errno).toBe(0);
    expect(decodeAcknowledgement(done(bytes('f0ffffff'))).errno).toBe(16);
  });

  test('a veth as the kernel describes it', () => {
    // Cut to the attributes that are read; recorded from RTM_GETLINK of a 6.18 kernel.
    const message = only(
      bytes(`
      74000000 1000 0200 05000000 0a360000 00000100 02000000 03100000 00000000
      0c000300646b6162632d3000 0500100002000000 0800040078050000 0a000100020000000001 0000
      10001200 09000100766574680000 0000 0800250000000000 0800050002000000 0c0006006e6f717565756500`),
    );
    expect(decodeLink(message)).toEqual({
      index: 2,
      name: 'dkabc-0',
      kind: 'veth',
      up: true,
      flags: 4099,
      operationalState: 'DOWN',
      mtu: 1400,
      mac: '02:00:00:00:00:01',
      master: undefined,
      peerIndex: 2,
      peerNamespaceId: 0,
      queueing: 'noqueue',
    });
  });
});

describe('lengths', () => {
  test.each([
    ['a header cut short', '10000000020000000100000000'],
    ['a length below the header', '0f000000020000000100000000000000'],
    ['a length of nothing', '00000000020000000100000000000000'],
    ['a length beyond the end', '14000000020000000100000000000000'],
    ['a length of 4 GiB', 'ffffffff020000000100000000000000'],
  ])('a message with %s is refused', (_, text) => {
    expect(() => decodeMessages(bytes(text))).toThrow(NetlinkFormatError);
  });

  test.each([
    ['a length of nothing', '00000100'],
    ['a length below the header', '03000100'],
    ['a length beyond the end', '0900010001020304'],
  ])('an attribute with %s is refused', (_, text) => {
    expect(() => decodeAttributeList(bytes(text))).toThrow(NetlinkFormatError);
  });

  test('padding that is not there does no harm, a byte too few in the value does', () => {
    expect(decodeAttributeList(bytes('0500010041'))).toEqual([{ type: 1, payload: bytes('41') }]);
    expect(decodeMessages(bytes('11000000020000000100000000000000ff'))).toHaveLength(1);
    expect(() => read.u32(bytes('010203'))).toThrow('a number of 4 bytes has only 3');
    expect(() => behindHeader(bytes('0102'), 16)).toThrow(NetlinkFormatError);
  });

  test('an attribute that would not fit its own length field is not made', () => {
    expect(encodeAttributes([attribute.bytes(1, new Uint8Array(65531))])).toHaveLength(65536);
    expect(() => encodeAttributes([attribute.bytes(1, new Uint8Array(65532))])).toThrow('65531 is the most');
  });

  test('a value keeps its own view of a larger buffer', () => {
    const around = Uint8Array.from([9, 9, 9, 9, ...bytes('0800020001020304'), 9, 9]);
    const [found] = decodeAttributeList(around.subarray(4, 12));
    expect(found).toEqual({ type: 2, payload: bytes('01020304') });
  });
});

/** mulberry32: the same hostile bytes in every run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return (value ^ (value >>> 14)) >>> 0;
  };
}

/** How many readers took the bytes, and how many refused them; anything else that they throw comes through. */
function readEverything(datagram: Uint8Array): { taken: number; refused: number; parts: number } {
  const count = { taken: 0, refused: 0, parts: 0 };
  const attempt = <T>(decode: () => T): T | undefined => {
    try {
      const value = decode();
      count.taken++;
      return value;
    } catch (error) {
      if (!(error instanceof NetlinkFormatError)) throw error;
      count.refused++;
      return undefined;
    }
  };
  for (const message of attempt(() => decodeMessages(datagram)) ?? []) {
    count.parts++;
    for (const type of [message.type, 2, 3, 16, 20, 24])
      for (const decode of [decodeAcknowledgement, decodeLink, decodeAddress, decodeRoute])
        attempt(() => decode({ ...message, type }));
    count.parts += attempt(() => decodeAttributeList(message.payload))?.length ?? 0;
  }
  return count;
}

test('hostile bytes throw nothing but NetlinkFormatError and end', () => {
  const next = generator(20_261_121);
  const total = { taken: 0, refused: 0, tooMany: 0 };
  for (let round = 0; round < 10_000; round++) {
    let datagram: Uint8Array;
    if (round % 2 === 0) {
      datagram = Uint8Array.from({ length: next() % 200 }, () => next() & 255);
      // Half of them with a length that gets past the header, so that what is behind it is read.
      if (round % 4 === 0 && datagram.length >= 16) datagram.set([datagram.length, 0, 0, 0]);
    } else {
      datagram = Uint8Array.from(round % 3 === 0 ? EEXIST : IP_LINK_ADD);
      for (let flips = 1 + (next() % 4); flips > 0; flips--) datagram[next() % datagram.length] = next() & 255;
      if (round % 5 === 0) datagram = datagram.subarray(0, next() % datagram.length);
    }
    const { taken, refused, parts } = readEverything(datagram);
    total.taken += taken;
    total.refused += refused;
    // A message has at least sixteen bytes and an attribute four: more parts than that would mean reading in circles.
    if (parts > datagram.length / 4) total.tooMany++;
  }
  expect(total.tooMany).toBe(0);
  expect(total.refused).toBeGreaterThan(10_000);
  expect(total.taken).toBeGreaterThan(10_000);
});
