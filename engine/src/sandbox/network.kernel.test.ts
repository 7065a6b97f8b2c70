import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { listCounters } from '../kernel/netlink/nftables.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from '../kernel/netlink/socket.ts';
import { TestNamespace } from '../testing/network-namespace.ts';
import { requires } from '../testing/requires.ts';
import { createSandboxNetwork, type Attachment, type SandboxNetwork } from './network.ts';
import { tableName } from './network-rules.ts';

requires('root', 'veth', 'nftables', 'nftables-fib', 'nftables-connections', 'nftables-elements', 'tbf');

/** Debian’s own, not what a version manager puts before it: it starts in a tenth of the time. */
const PYTHON = '/usr/bin/python3';
const REACH = join(import.meta.dirname, '../testing/reach.py');
const INSTANCE = 'test1';
/** What stands for the internet, and the host's address towards it. */
const OUTSIDE = '11.0.0.2';
const HOST_OUTSIDE = '11.0.0.1';
const METADATA = '169.254.169.254';

interface Check {
  kind: 'ping' | 'tcp' | 'udp';
  to: string;
  port?: number;
  count?: number;
  size?: number;
  from?: string;
}

let host: TestNamespace;
let outside: TestNamespace;
let alice: TestNamespace;
let bob: TestNamespace;
let network: SandboxNetwork;
let a: Attachment;
let b: Attachment;

const counts = z.array(z.number());
const reach = (from: TestNamespace, ...checks: Check[]): number[] =>
  from.json(counts, PYTHON, REACH, 'check', JSON.stringify(checks));

const state = (): string[] => [
  host.run('ip', '-j', 'link'),
  host.run('ip', '-j', 'addr'),
  host.run('ip', '-j', 'route'),
  host.run('nft', '-j', 'list', 'tables'),
];

/** Packets that the rules of this comment dropped or accepted. */
function counted(comment: string): bigint {
  const socket = new NetlinkSocket(NETLINK_NETFILTER, host.fd);
  try {
    return listCounters(socket, tableName(INSTANCE))
      .filter((rule) => rule.comment === comment)
      .reduce((sum, { packets }) => sum + packets, 0n);
  } finally {
    socket.close();
  }
}

const removeRules = (): string => host.run('nft', 'delete', 'table', 'inet', tableName(INSTANCE));

beforeEach(async () => {
  [host, outside, alice, bob] = [new TestNamespace(), new TestNamespace(), new TestNamespace(), new TestNamespace()];
  // A host that forwards, as one that runs Docker does, with a neighbour that answers for the internet and the cloud.
  host.run('ip', 'link', 'set', 'lo', 'up');
  host.run('sh', '-c', 'echo 1 >/proc/sys/net/ipv4/ip_forward');
  host.run('ip', 'link', 'add', 'wan0', 'type', 'veth', 'peer', 'name', 'wan0', 'netns', outside.path);
  host.run('ip', 'addr', 'add', `${HOST_OUTSIDE}/24`, 'dev', 'wan0');
  host.run('ip', 'link', 'set', 'wan0', 'up');
  host.run('ip', 'route', 'add', 'default', 'via', OUTSIDE);
  outside.run('ip', 'link', 'set', 'lo', 'up');
  outside.run('ip', 'addr', 'add', `${OUTSIDE}/24`, 'dev', 'wan0');
  outside.run('ip', 'addr', 'add', `${METADATA}/32`, 'dev', 'lo');
  outside.run('ip', 'link', 'set', 'wan0', 'up');
  outside.run('ip', 'route', 'add', 'default', 'via', HOST_OUTSIDE);
  network = createSandboxNetwork({ instance: INSTANCE, hostNetns: host.fd });
  await network.ensureHost();
  a = await network.attach({ slot: 0, netnsFd: alice.fd });
  b = await network.attach({ slot: 1, netnsFd: bob.fd });
});
afterEach(() => {
  for (const owned of [network, alice, bob, outside, host]) owned.close();
});

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
    removeRules();
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
    expect(counted('forged source')).toBe(3n);
    reach(alice, { kind: 'ping', to: a.gateway, from: '11.0.0.77' });
    expect(counted('source outside the pool')).toBe(1n);
    removeRules();
    forge();
    expect(echoReplies()).toBe(3);
  });

  test('hold echoes to a rate of each sandbox’s own', () => {
    const [answered] = reach(alice, { kind: 'ping', to: a.gateway, count: 300 });
    expect(answered).toBeGreaterThanOrEqual(20);
    expect(answered).toBeLessThan(300);
    expect(reach(bob, { kind: 'ping', to: b.gateway })).toEqual([1]);
    removeRules();
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
    expect(counted('into a sandbox')).toBeGreaterThan(0n);
    removeRules();
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
    expect(counted('mail')).toBeGreaterThan(0n);
    expect(counted('private networks')).toBeGreaterThan(0n);
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
  const renew = async (limits: object, dns: boolean): Promise<void> => {
    await network.removeAll();
    network.close();
    network = createSandboxNetwork({ instance: INSTANCE, hostNetns: host.fd, dns, limits });
    await network.ensureHost();
    a = await network.attach({ slot: 0, netnsFd: alice.fd });
    b = await network.attach({ slot: 1, netnsFd: bob.fd });
  };

  test('connections at once are counted for each sandbox', async () => {
    await renew({ connections: 3 }, true);
    await host.start(PYTHON, REACH, 'serve', '53');
    expect(reach(alice, { kind: 'tcp', to: a.gateway, port: 53, count: 5 })).toEqual([3]);
    expect(reach(bob, { kind: 'tcp', to: b.gateway, port: 53 })).toEqual([1]);
    expect(counted('too many connections')).toBeGreaterThan(0n);
  });

  test('DNS is answered where somebody listens, up to a rate', async () => {
    await renew({ dnsQueriesPerSecond: 5 }, true);
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
    await renew({ bytesPerSecond: 10_000, burstBytes: 20_000, dnsQueriesPerSecond: 100_000 }, true);
    await host.start(PYTHON, REACH, 'serve', '53');
    const [small] = reach(alice, { kind: 'udp', to: a.gateway, port: 53, count: 2, size: 500 });
    expect(small).toBe(2);
    expect(counted('over the upload rate')).toBe(0n);
    reach(alice, { kind: 'udp', to: a.gateway, port: 53, count: 200, size: 1400 });
    expect(counted('over the upload rate')).toBeGreaterThan(50n);
  });
});

describe('coming and going', () => {
  const links = (): string[] => [...host.run('ip', '-o', 'link').matchAll(/dktest\w+-\w+/g)].map(([name]) => name);

  test('detach, collect and removeAll leave nothing', async () => {
    const others = createSandboxNetwork({ instance: 'test2', hostNetns: host.fd });
    await network.removeAll();
    const before = state();
    await network.removeAll();
    await network.ensureHost();
    const withTable = state();
    await network.attach({ slot: 7, netnsFd: alice.fd });
    await network.detach(7);
    await network.detach(7);
    expect(state()).toEqual(withTable);
    await network.attach({ slot: 7, netnsFd: alice.fd });
    await network.attach({ slot: 8, netnsFd: bob.fd });
    expect(await network.collect([8])).toEqual([7]);
    expect(links()).toEqual(['dktest1-8']);
    expect(host.run('nft', 'list', 'table', 'inet', tableName(INSTANCE))).not.toContain('dktest1-7');
    await network.removeAll();
    expect(state()).toEqual(before);
    others.close();
  });

  test('a link that went with its namespace leaves the rules at detach', async () => {
    await withNamespace(async (carol) => {
      await network.attach({ slot: 9, netnsFd: carol.fd });
      carol.run('ip', 'link', 'del', 'eth0');
    });
    await network.detach(9);
    expect(host.run('nft', 'list', 'table', 'inet', tableName(INSTANCE))).not.toContain('dktest1-9');
  });

  test('a process names the namespace as well; one that has ended leaves nothing behind', async () => {
    await withNamespace(async (carol) => {
      const child = await carol.start('sh', '-c', 'echo ready; exec sleep 60');
      const { address } = await network.attach({ slot: 9, pid: child.pid ?? 0 });
      expect(carol.run('ip', '-4', '-o', 'addr', 'show', 'eth0')).toContain(address);
    });
    await network.detach(9);
    const before = state();
    await expect(network.attach({ slot: 9, pid: 4_194_304 })).rejects.toThrow('ENOENT (has the process ended?)');
    expect(state()).toEqual(before);
  });

  test('a sandbox that cannot be linked leaves nothing behind', async () => {
    const before = state();
    await expect(network.attach({ slot: 2, netnsFd: alice.fd })).rejects.toThrow(
      /^Cannot add veth link "dktest1-2": EEXIST/,
    );
    expect(state()).toEqual(before);
    expect(host.run('nft', 'list', 'table', 'inet', tableName(INSTANCE))).not.toContain('dktest1-2');
    await expect(network.attach({ slot: 65_536, netnsFd: alice.fd })).rejects.toThrow('slots go from 0 to 65535');
  });

  test('what a crash left of a slot gives way to its next sandbox', async () => {
    await withNamespace(async (carol) => {
      await network.attach({ slot: 0, netnsFd: carol.fd });
      expect(alice.run('ip', '-o', 'link')).not.toContain('eth0');
      expect(reach(carol, { kind: 'ping', to: a.gateway })).toEqual([1]);
    });
  });

  test('a daemon that starts again finds its pool and its sandboxes', async () => {
    network.close();
    network = createSandboxNetwork({ instance: INSTANCE, hostNetns: host.fd });
    expect(await network.collect([0, 1])).toEqual([]);
    expect(links()).toEqual([a.link, b.link]);
    expect(reach(alice, { kind: 'ping', to: a.gateway }, { kind: 'ping', to: b.address })).toEqual([1, 0]);
  });

  test('flushed rules are mended, with the same addresses', async () => {
    await host.start(PYTHON, REACH, 'serve', '8000');
    const check: Check = { kind: 'tcp', to: a.gateway, port: 8000 };
    expect(await network.mend()).toBe(false);
    host.run('nft', 'flush', 'ruleset');
    expect(reach(alice, check)).toEqual([1]);
    expect(await network.mend()).toBe(true);
    expect(reach(alice, check, { kind: 'ping', to: a.gateway })).toEqual([0, 1]);
    host.run('nft', 'delete', 'element', 'inet', tableName(INSTANCE), 'sandboxes', `{ "${a.link}" }`);
    expect(await network.mend()).toBe(true);
    host.run('nft', 'flush', 'chain', 'inet', tableName(INSTANCE), 'input');
    expect(await network.mend()).toBe(true);
    expect(reach(alice, check)).toEqual([0]);
    expect(await network.mend()).toBe(false);
    await network.detach(1);
    expect((await network.attach({ slot: 1, netnsFd: bob.fd })).address).toBe(b.address);
  });

  test('thirty at once are linked under the rules, also when they were flushed', async () => {
    const namespaces = Array.from({ length: 30 }, () => new TestNamespace());
    try {
      host.run('nft', 'flush', 'ruleset');
      await Promise.all(namespaces.map(({ fd }, index) => network.attach({ slot: 100 + index, netnsFd: fd })));
      const guarded = host.run('nft', 'list', 'set', 'inet', tableName(INSTANCE), 'sandboxes');
      expect(links()).toHaveLength(32);
      expect(links().filter((link) => !guarded.includes(`"${link}"`))).toEqual([]);
      await Promise.all(namespaces.map((_, index) => network.detach(100 + index)));
      expect(links()).toEqual([a.link, b.link]);
    } finally {
      for (const namespace of namespaces) namespace.close();
    }
  });

  test('two instances have pools of their own and cannot reach each other', async () => {
    const second = createSandboxNetwork({ instance: 'test2', hostNetns: host.fd });
    await withNamespace(async (carol) => {
      const c = await second.attach({ slot: 0, netnsFd: carol.fd });
      expect(c.address).toBe('10.204.0.2');
      await carol.start(PYTHON, REACH, 'serve', '8000');
      const check: Check = { kind: 'tcp', to: c.address, port: 8000 };
      expect(reach(alice, check, { kind: 'ping', to: a.gateway })).toEqual([0, 1]);
      expect(reach(carol, { kind: 'ping', to: a.address }, { kind: 'ping', to: c.gateway })).toEqual([0, 1]);
      removeRules();
      host.run('nft', 'delete', 'table', 'inet', tableName('test2'));
      expect(reach(alice, check)).toEqual([1]);
    });
    await second.removeAll();
    second.close();
    expect(links()).toEqual([a.link, b.link]);
  });

  test('a pool keeps clear of the host’s routes', async () => {
    await network.removeAll();
    host.run('ip', 'route', 'add', '10.200.9.0/24', 'via', OUTSIDE);
    const { address } = await network.ensureHost();
    expect(address).toBe('10.204.0.0');
    host.run('ip', 'route', 'add', '10.205.0.0/16', 'via', OUTSIDE);
    expect((await network.ensureHost()).address).toBe('10.204.0.0');
  });
});

async function withNamespace(action: (namespace: TestNamespace) => Promise<void>): Promise<void> {
  const namespace = new TestNamespace();
  try {
    await action(namespace);
  } finally {
    namespace.close();
  }
}
