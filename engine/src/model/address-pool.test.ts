import { describe, expect, test } from 'vitest';
import { POOL_CANDIDATES, choosePool, linkName, poolOfHostAddress, slotAddresses, slotOfLink } from './address-pool.ts';
import { EngineError } from './engine-error.ts';
import { ipv4Range, parsePrefix } from './ip-address.ts';

const routes = (...prefixes: string[]) => prefixes.map(parsePrefix);

describe('the pool', () => {
  test('every candidate is private, aligned, and none touches another', () => {
    const ranges = POOL_CANDIDATES.map((pool) => ({ ...ipv4Range(pool), pool })).sort((a, b) => a.first - b.first);
    const allowed = routes('10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12').map(ipv4Range);
    for (const [index, { first, last, pool }] of ranges.entries()) {
      expect(pool.address).toBe([first >>> 24, (first >>> 16) & 255, 0, 0].join('.'));
      expect(allowed.some((range) => range.first <= first && last <= range.last)).toBe(true);
      expect(first).toBeGreaterThan(ranges[index - 1]?.last ?? 0);
    }
  });

  test('is the first that touches no route; the default route touches nothing', () => {
    expect(choosePool(routes('0.0.0.0/0')).address).toBe('10.200.0.0');
    expect(choosePool(routes('0.0.0.0/0', '10.200.7.0/24')).address).toBe('10.204.0.0');
    expect(choosePool(routes('10.203.255.255/32', '10.204.0.0/14')).address).toBe('10.208.0.0');
    // A route as wide as a VPN's swallows all of 10/8, whatever its host bits say.
    expect(choosePool(routes('10.1.2.3/8')).address).toBe('100.64.0.0');
    expect(() => choosePool(routes('10.0.0.0/8', '100.0.0.0/8', '128.0.0.0/1', '172.0.0.0/8'))).toThrow(
      'the host has routes into every private network',
    );
  });
});

describe('slots', () => {
  const pool = parsePrefix('10.200.0.0/14');

  test('have a /30 each, from one end of the pool to the other', () => {
    expect(slotAddresses(pool, 0)).toEqual({ host: '10.200.0.1', sandbox: '10.200.0.2' });
    expect(slotAddresses(pool, 64)).toEqual({ host: '10.200.1.1', sandbox: '10.200.1.2' });
    expect(slotAddresses(pool, 65_535)).toEqual({ host: '10.203.255.253', sandbox: '10.203.255.254' });
    for (const slot of [-1, 65_536, 1.5, Number.NaN]) expect(() => slotAddresses(pool, slot)).toThrow(EngineError);
  });

  test('tell the pool again from the host’s address', () => {
    for (const slot of [0, 1, 65_535]) expect(poolOfHostAddress(slotAddresses(pool, slot).host, slot)).toEqual(pool);
    expect(poolOfHostAddress('10.200.0.5', 0)).toBeUndefined();
  });

  test('are in the names of links, which fit', () => {
    expect(linkName('a', 0)).toBe('dka-0');
    expect(linkName('abcdefgh', 65_535)).toHaveLength(15);
    for (const slot of [0, 35, 36, 65_535]) expect(slotOfLink('ab1', linkName('ab1', slot))).toBe(slot);
    for (const name of ['dkab1', 'dkab1-', 'dkab1-zzzz', 'dkab1-00', 'dkab1-A', 'dkab-1', 'dkab12-1', 'eth0', ''])
      expect(slotOfLink('ab1', name)).toBeUndefined();
    for (const instance of ['', 'nine12345', 'A', 'a-b', 'ü']) expect(() => linkName(instance, 0)).toThrow(EngineError);
  });
});
