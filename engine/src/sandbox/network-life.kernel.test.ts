import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TestNamespace } from '../testing/network-namespace.ts';
import { INSTANCE, NetworkWorld, OUTSIDE, PYTHON, REACH, reach, type Check } from '../testing/network-world.ts';
import { requires } from '../testing/requires.ts';
import { createSandboxNetwork, type Attachment } from './network.ts';
import { tableName } from './network-rules.ts';

requires('root', 'veth', 'nftables', 'nftables-fib', 'nftables-connections', 'nftables-elements', 'tbf');

let world: NetworkWorld;
let host: TestNamespace;
let alice: TestNamespace;
let bob: TestNamespace;
let a: Attachment;
let b: Attachment;

beforeEach(async () => {
  world = await NetworkWorld.open();
  ({ host, alice, bob, a, b } = world);
});
afterEach(() => world.close());

describe('coming and going', () => {
  const links = (): string[] => [...host.run('ip', '-o', 'link').matchAll(/dktest\w+-\w+/g)].map(([name]) => name);

  test('detach, collect and removeAll leave nothing', async () => {
    const others = createSandboxNetwork({ instance: 'test2', hostNetns: host.fd });
    await world.network.removeAll();
    const before = world.state();
    await world.network.removeAll();
    await world.network.ensureHost();
    const withTable = world.state();
    await world.network.attach({ slot: 7, netnsFd: alice.fd });
    await world.network.detach(7);
    await world.network.detach(7);
    expect(world.state()).toEqual(withTable);
    await world.network.attach({ slot: 7, netnsFd: alice.fd });
    await world.network.attach({ slot: 8, netnsFd: bob.fd });
    expect(await world.network.collect([8])).toEqual([7]);
    expect(links()).toEqual(['dktest1-8']);
    expect(host.run('nft', 'list', 'table', 'inet', tableName(INSTANCE))).not.toContain('dktest1-7');
    await world.network.removeAll();
    expect(world.state()).toEqual(before);
    others.close();
  });

  test('a link that went with its namespace leaves the rules at detach', async () => {
    await withNamespace(async (carol) => {
      await world.network.attach({ slot: 9, netnsFd: carol.fd });
      carol.run('ip', 'link', 'del', 'eth0');
    });
    await world.network.detach(9);
    expect(host.run('nft', 'list', 'table', 'inet', tableName(INSTANCE))).not.toContain('dktest1-9');
  });

  test('a process names the namespace as well; one that has ended leaves nothing behind', async () => {
    await withNamespace(async (carol) => {
      const child = await carol.start('sh', '-c', 'echo ready; exec sleep 60');
      const { address } = await world.network.attach({ slot: 9, pid: child.pid ?? 0 });
      expect(carol.run('ip', '-4', '-o', 'addr', 'show', 'eth0')).toContain(address);
    });
    await world.network.detach(9);
    const before = world.state();
    await expect(world.network.attach({ slot: 9, pid: 4_194_304 })).rejects.toThrow('ENOENT (has the process ended?)');
    expect(world.state()).toEqual(before);
  });

  test('a sandbox that cannot be linked leaves nothing behind', async () => {
    const before = world.state();
    await expect(world.network.attach({ slot: 2, netnsFd: alice.fd })).rejects.toThrow(
      /^Cannot add veth link "dktest1-2": EEXIST/,
    );
    expect(world.state()).toEqual(before);
    expect(host.run('nft', 'list', 'table', 'inet', tableName(INSTANCE))).not.toContain('dktest1-2');
    await expect(world.network.attach({ slot: 65_536, netnsFd: alice.fd })).rejects.toThrow('slots go from 0 to 65535');
  });

  test('what a crash left of a slot gives way to its next sandbox', async () => {
    await withNamespace(async (carol) => {
      await world.network.attach({ slot: 0, netnsFd: carol.fd });
      expect(alice.run('ip', '-o', 'link')).not.toContain('eth0');
      expect(reach(carol, { kind: 'ping', to: a.gateway })).toEqual([1]);
    });
  });

  test('a daemon that starts again finds its pool and its sandboxes', async () => {
    world.network.close();
    world.network = createSandboxNetwork({ instance: INSTANCE, hostNetns: host.fd });
    expect(await world.network.collect([0, 1])).toEqual([]);
    expect(links()).toEqual([a.link, b.link]);
    expect(reach(alice, { kind: 'ping', to: a.gateway }, { kind: 'ping', to: b.address })).toEqual([1, 0]);
  });

  test('flushed rules are mended, with the same addresses', async () => {
    await host.start(PYTHON, REACH, 'serve', '8000');
    const check: Check = { kind: 'tcp', to: a.gateway, port: 8000 };
    expect(await world.network.mend()).toBe(false);
    world.network.touched();
    host.run('nft', 'add', 'table', 'inet', 'foreign');
    host.run('nft', 'delete', 'table', 'inet', 'foreign');
    host.run('nft', 'add', 'element', 'inet', tableName(INSTANCE), 'allowed', `{ ${OUTSIDE} }`);
    expect(world.network.touched()).toBe(false);
    host.run('nft', 'flush', 'ruleset');
    expect(world.network.touched()).toBe(true);
    expect(reach(alice, check)).toEqual([1]);
    expect(await world.network.mend()).toBe(true);
    expect(reach(alice, check, { kind: 'ping', to: a.gateway })).toEqual([0, 1]);
    host.run('nft', 'delete', 'element', 'inet', tableName(INSTANCE), 'sandboxes', `{ "${a.link}" }`);
    expect(await world.network.mend()).toBe(true);
    world.network.touched();
    host.run('nft', 'flush', 'chain', 'inet', tableName(INSTANCE), 'input');
    expect(world.network.touched()).toBe(true);
    expect(await world.network.mend()).toBe(true);
    expect(reach(alice, check)).toEqual([0]);
    expect(await world.network.mend()).toBe(false);
    await world.network.detach(1);
    expect((await world.network.attach({ slot: 1, netnsFd: bob.fd })).address).toBe(b.address);
  });

  test('thirty at once are linked under the rules, also when they were flushed', async () => {
    const namespaces = Array.from({ length: 30 }, () => new TestNamespace());
    try {
      host.run('nft', 'flush', 'ruleset');
      await Promise.all(namespaces.map(({ fd }, index) => world.network.attach({ slot: 100 + index, netnsFd: fd })));
      const guarded = host.run('nft', 'list', 'set', 'inet', tableName(INSTANCE), 'sandboxes');
      expect(links()).toHaveLength(32);
      expect(links().filter((link) => !guarded.includes(`"${link}"`))).toEqual([]);
      await Promise.all(namespaces.map((_, index) => world.network.detach(100 + index)));
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
      world.removeRules();
      host.run('nft', 'delete', 'table', 'inet', tableName('test2'));
      expect(reach(alice, check)).toEqual([1]);
    });
    await second.removeAll();
    second.close();
    expect(links()).toEqual([a.link, b.link]);
  });

  test('a pool keeps clear of the host’s routes', async () => {
    await world.network.removeAll();
    host.run('ip', 'route', 'add', '10.200.9.0/24', 'via', OUTSIDE);
    const { address } = await world.network.ensureHost();
    expect(address).toBe('10.204.0.0');
    host.run('ip', 'route', 'add', '10.205.0.0/16', 'via', OUTSIDE);
    expect((await world.network.ensureHost()).address).toBe('10.204.0.0');
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
