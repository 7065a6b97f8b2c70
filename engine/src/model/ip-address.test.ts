import { describe, expect, test } from 'vitest';
import { EngineError } from './engine-error.ts';
import { addressBytes, addressText, ipv4Number, ipv4Range, ipv4Text, parsePrefix } from './ip-address.ts';

describe('addresses', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::', 'fe80::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['1:0:0:0:2:0:0:0', '1::2:0:0:0'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
  ])('%s is written %s', (text, canonical) => {
    expect(addressText(addressBytes(text))).toBe(canonical);
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '010.1.1.1',
    '1:2',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    'fe80::1%eth0',
    '12345::',
    '1.2.3.4::',
    '1:2:3:4:5:6:7::8',
  ])('"%s" is refused', (text) => {
    expect(() => addressBytes(text)).toThrow(EngineError);
  });
});

test('prefixes', () => {
  expect(parsePrefix('10.1.2.3/8')).toEqual({ address: '10.1.2.3', length: 8 });
  expect(ipv4Range(parsePrefix('10.1.2.3/8'))).toEqual({
    first: ipv4Number('10.0.0.0'),
    last: ipv4Number('10.255.255.255'),
  });
  expect(ipv4Range(parsePrefix('0.0.0.0/0'))).toEqual({ first: 0, last: 0xffff_ffff });
  expect(ipv4Text(0xffff_fffe)).toBe('255.255.255.254');
  for (const text of ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.0/-1', 'x/8'])
    expect(() => parsePrefix(text)).toThrow(EngineError);
});
