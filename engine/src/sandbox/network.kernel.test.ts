import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TestNamespace } from '../testing/network-namespace.ts';
import {
  HOST_OUTSIDE,
  INSTANCE,
  METADATA,
  NetworkWorld,
  OUTSIDE,
  PYTHON,
  REACH,
  reach,
  type Check,
} from '../testing/network-world.ts';
import { requires } from '../testing/requires.ts';
import type { Attachment } from './network.ts';
import { tableName } from './network-rules.ts';

requires('root', 'veth', 'nftables', 'nftables-fib', 'nftables-connections', 'nftables-elements', 'tbf');

let world: NetworkWorld;
let host: TestNamespace;
let outside: TestNamespace;
let alice: TestNamespace;
let bob: TestNamespace;
let a: Attachment;
let b: Attachment;

beforeEach(async () => {
  world = await NetworkWorld.open();
  ({ host, outside, alice, bob, a, b } = world);
});
afterEach(() => world.close());

describe('a sandbox’s own side', () => {
  test('has loopback, eth0 and one way out, as ip sees them', () => {
    expect(a).toEqual({
      link: 'dktest1-0',
      hostAddress: '10.200.0.1',
      address: '10.200.0.2',
      prefix: 30,
      gateway: '10.200.0.1',
    });
    expect(b.address).toBe('10.200.0.6');
    const addresses = (namespace: TestNamespace, ...device: string[]): string[] =>
      namespace
        .run('ip', '-4', '-o', 'addr', 'show', ...device)
        .trim()
        .split('\n')
        .map((line) => line.split(/\s+/).slice(1, 4).join(' '));
    expect(addresses(alice)).toEqual(['lo inet 127.0.0.1/8', 'eth0 inet 10.200.0.2/30']);
    expect(addresses(host, a.link)).toEqual([`${a.link} inet 10.200.0.1/30`]);
    expect(alice.run('ip', 'route').replaceAll(/ +\n/g, '\n')).toBe(
      'default via 10.200.0.1 dev eth0 proto static\n10.200.0.0/30 dev eth0 proto kernel scope link src 10.200.0.2\n',
    );
    expect(host.run('ip', '-6', 'addr', 'show', 'dev', a.link)).toBe('');
    expect(host.run('tc', 'qdisc', 'show', 'dev', a.link)).toContain('tbf');
  });
});

describe('the rules', () => {
  test('let nothing through but an echo to the gateway; without them, everything passes', async () => {
    await host.start(PYTHON, REACH, 'serve', '53', '8000');
    await bob.start(PYTHON, REACH, 'serve', '8000');
    await outside.start(PYTHON, REACH, 'serve', '25', '8000');
    // Not the addresses that the kernel makes: these can't be used before a second has shown that nobody else has them.
    host.run('ip', '-6', 'addr', 'add', 'fe80::1/64', 'dev', a.link, 'nodad');
    alice.run('ip', '-6', 'addr', 'add', 'fe80::2/64', 'dev', 'eth0', 'nodad');
    const checks: Record<string, Check> = {
      'echo to the gateway': { kind: 'ping', to: a.gateway },
      'a port of the host at the gateway’s address': { kind: 'tcp', to: a.gateway, port: 8000 },
      'a port of the host at another of its addresses': { kind: 'tcp', to: HOST_OUTSIDE, port: 8000 },
      'echo to another address of the host': { kind: 'ping', to: HOST_OUTSIDE },
      'a UDP port of the host': { kind: 'udp', to: a.gateway, port: 8000 },
      'DNS over UDP': { kind: 'udp', to: a.gateway, port: 53 },
      'DNS over TCP': { kind: 'tcp', to: a.gateway, port: 53 },
      'echo to another sandbox': { kind: 'ping', to: b.address },
      'a port of another sandbox': { kind: 'tcp', to: b.address, port: 8000 },
      'another sandbox’s gateway': { kind: 'ping', to: b.gateway },
      'the metadata service': { kind: 'ping', to: METADATA },
      'a port of the metadata service': { kind: 'tcp', to: METADATA, port: 8000 },
      'echo to the internet': { kind: 'ping', to: OUTSIDE },
      'a port on the internet': { kind: 'tcp', to: OUTSIDE, port: 8000 },
      'mail to the internet': { kind: 'tcp', to: OUTSIDE, port: 25 },
      'the host by IPv6 link-local': { kind: 'ping', to: 'fe80::1%eth0', from: 'fe80::2' },
    };
    const reached = (): string[] => {
      const found = reach(alice, ...Object.values(checks));
      return Object.keys(checks).filter((_, index) => (found[index] ?? 0) > 0);
    };
    expect(reached()).toEqual(['echo to the gateway']);
    world.removeRules();
    expect(reached()).toEqual(Object.keys(checks));
  });

  test('drop a forged source, which without them is answered to whoever it belongs to', () => {
    const echoReplies = (): number => {
      const line = /^Icmp: (?=\d).*$/m.exec(bob.run('cat', '/proc/net/snmp'))?.[0].split(' ') ?? [];
      const names = /^Icmp: (?!\d).*$/m.exec(bob.run('cat', '/proc/net/snmp'))?.[0].split(' ') ?? [];
      return Number(line[names.indexOf('InEchoReps')]);
    };
    const forge = (): number[] => reach(alice, { kind: 'ping', to: a.gateway, from: b.address, count: 3 });
    forge();
    expect(echoReplies()).toBe(0);
    expect(world.counted('forged source')).toBe(3n);
    reach(alice, { kind: 'ping', to: a.gateway, from: '11.0.0.77' });
    expect(world.counted('source outside the pool')).toBe(1n);
    world.removeRules();
    forge();
    expect(echoReplies()).toBe(3);
  });

  test('hold echoes to a rate of each sandbox’s own', () => {
    const [answered] = reach(alice, { kind: 'ping', to: a.gateway, count: 300 });
    expect(answered).toBeGreaterThanOrEqual(20);
    expect(answered).toBeLessThan(300);
    expect(reach(bob, { kind: 'ping', to: b.gateway })).toEqual([1]);
    world.removeRules();
    expect(reach(alice, { kind: 'ping', to: a.gateway, count: 300 })).toEqual([300]);
  });

  test('are not all: ARP does not tell which other addresses the host has', () => {
    alice.run('ip', 'route', 'add', `${HOST_OUTSIDE}/32`, 'dev', 'eth0');
    const neighbour = (): string => {
      reach(alice, { kind: 'ping', to: HOST_OUTSIDE });
      return alice.run('ip', 'neigh', 'show', HOST_OUTSIDE);
    };
    expect(neighbour()).not.toContain('lladdr');
    host.run('sh', '-c', `echo 0 >/proc/sys/net/ipv4/conf/${a.link}/arp_ignore`);
    expect(neighbour()).toContain('lladdr');
  });

  test('let the host open connections to a sandbox, and no neighbour of the host', async () => {
    await alice.start(PYTHON, REACH, 'serve', '8000');
    const check: Check = { kind: 'tcp', to: a.address, port: 8000 };
    expect(reach(host, check)).toEqual([1]);
    expect(reach(outside, check)).toEqual([0]);
    expect(world.counted('into a sandbox')).toBeGreaterThan(0n);
    world.removeRules();
    expect(reach(outside, check)).toEqual([1]);
  });

  test('let out what is on the list, except mail and private networks', async () => {
    await outside.start(PYTHON, REACH, 'serve', '25', '8000');
    const checks: Check[] = [
      { kind: 'tcp', to: OUTSIDE, port: 8000 },
      { kind: 'tcp', to: OUTSIDE, port: 25 },
      { kind: 'ping', to: METADATA },
    ];
    expect(reach(alice, ...checks)).toEqual([0, 0, 0]);
    host.run('nft', 'add', 'element', 'inet', tableName(INSTANCE), 'allowed', `{ ${OUTSIDE}, ${METADATA} }`);
    expect(reach(alice, ...checks)).toEqual([1, 0, 0]);
    expect(world.counted('mail')).toBeGreaterThan(0n);
    expect(world.counted('private networks')).toBeGreaterThan(0n);
  });

  test('give way to a foreign firewall, and are not opened by one', async () => {
    await host.start(PYTHON, REACH, 'serve', '8000');
    host.run(
      'nft',
      'add table ip foreign; add chain ip foreign in { type filter hook input priority -10; policy accept; }',
    );
    host.run('nft', 'add rule ip foreign in tcp dport 8000 accept');
    expect(reach(alice, { kind: 'tcp', to: a.gateway, port: 8000 })).toEqual([0]);
    host.run('nft', 'add rule ip foreign in icmp type echo-request drop');
    expect(reach(alice, { kind: 'ping', to: a.gateway })).toEqual([0]);
  });
});

describe('limits', () => {
  test('connections at once are counted for each sandbox', async () => {
    await world.relink({ connections: 3 }, true);
    await host.start(PYTHON, REACH, 'serve', '53');
    expect(reach(alice, { kind: 'tcp', to: a.gateway, port: 53, count: 5 })).toEqual([3]);
    expect(reach(bob, { kind: 'tcp', to: b.gateway, port: 53 })).toEqual([1]);
    expect(world.counted('too many connections')).toBeGreaterThan(0n);
  });

  test('DNS is answered where somebody listens, up to a rate', async () => {
    await world.relink({ dnsQueriesPerSecond: 5 }, true);
    await host.start(PYTHON, REACH, 'serve', '53', '8000');
    const [answered, other] = reach(
      alice,
      { kind: 'udp', to: a.gateway, port: 53, count: 100 },
      { kind: 'udp', to: a.gateway, port: 8000 },
    );
    expect(answered).toBeGreaterThanOrEqual(5);
    expect(answered).toBeLessThan(100);
    expect(other).toBe(0);
  });

  test('uploads over the rate are dropped', async () => {
    await world.relink({ bytesPerSecond: 10_000, burstBytes: 20_000, dnsQueriesPerSecond: 100_000 }, true);
    await host.start(PYTHON, REACH, 'serve', '53');
    const [small] = reach(alice, { kind: 'udp', to: a.gateway, port: 53, count: 2, size: 500 });
    expect(small).toBe(2);
    expect(world.counted('over the upload rate')).toBe(0n);
    reach(alice, { kind: 'udp', to: a.gateway, port: 53, count: 200, size: 1400 });
    expect(world.counted('over the upload rate')).toBeGreaterThan(50n);
  });
});
