import { closeSync, openSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { EngineError, SysError } from '../../model/engine-error.ts';
import { TestNamespace } from '../../testing/network-namespace.ts';
import { requires } from '../../testing/requires.ts';
import { addAddress, deleteAddress, listAddresses } from './address.ts';
import { addLink, addVeth, deleteLink, getLink, listLinks, setLink } from './link.ts';
import { setTokenBucket } from './queueing.ts';
import { RT_TABLE_MAIN, addRoute, deleteRoute, listRoutes } from './route.ts';
import { openNetns } from './netns.ts';
import { NETLINK_ROUTE, NetlinkSocket } from './socket.ts';

requires('root', 'veth', 'bridge');

const ipLinks = z.array(
  z.object({
    ifindex: z.number(),
    ifname: z.string(),
    flags: z.array(z.string()),
    mtu: z.number(),
    address: z.string(),
    operstate: z.string(),
    master: z.string().optional(),
    link_index: z.number().optional(),
    qdisc: z.string(),
    num_tx_queues: z.number(),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
  }),
);
const ipAddressesOf = z.array(z.object({ addr_info: z.array(z.object({ local: z.string(), prefixlen: z.number() })) }));
const ipRoutes = z.array(z.object({ dst: z.string(), gateway: z.string().optional() }));
const tcQueues = z.array(
  z.object({ kind: z.string(), root: z.boolean(), options: z.object({ rate: z.number(), burst: z.number() }) }),
);

let near: TestNamespace;
let far: TestNamespace;
let route: NetlinkSocket;
let farRoute: NetlinkSocket;

beforeEach(() => {
  near = new TestNamespace();
  far = new TestNamespace();
  route = new NetlinkSocket(NETLINK_ROUTE, near.fd);
  farRoute = new NetlinkSocket(NETLINK_ROUTE, far.fd);
});
afterEach(() => {
  for (const owned of [route, farRoute, near, far]) owned.close();
});

/** What `ip -d -j link` says, in our words. */
const fromIp = (namespace: TestNamespace) => {
  const links = namespace.json(ipLinks, 'ip', '-d', '-j', 'link');
  return links.map((link) => ({
    index: link.ifindex,
    name: link.ifname,
    kind: link.linkinfo?.info_kind,
    up: link.flags.includes('UP'),
    operationalState: link.operstate,
    mtu: link.mtu,
    mac: link.address,
    master: links.find(({ ifname }) => ifname === link.master)?.ifindex,
    peerIndex: link.link_index,
    queueing: link.qdisc,
  }));
};

const veth = () =>
  addVeth(route, {
    name: 'near0',
    up: true,
    mtu: 1400,
    mac: '02:00:5e:00:53:01',
    peer: { name: 'eth0', mac: '02:00:5e:00:53:02', in: { netnsFd: far.fd } },
  });

describe('links', () => {
  test('a veth pair has one end here and one there, as ip sees it', async () => {
    veth();
    setLink(farRoute, 'eth0', { up: true });
    // The kernel tells of a carrier by a work queue (net/core/link_watch.c): UP follows within milliseconds.
    while ([getLink(route, 'near0'), getLink(farRoute, 'eth0')].some((end) => end?.operationalState !== 'UP'))
      await new Promise((resolve) => setTimeout(resolve, 1));
    for (const [socket, namespace] of [
      [route, near],
      [farRoute, far],
    ] as const)
      expect(listLinks(socket)).toMatchObject(fromIp(namespace));
    expect(getLink(route, 'near0')).toMatchObject({ kind: 'veth', mtu: 1400, mac: '02:00:5e:00:53:01', up: true });
    expect(getLink(farRoute, 'eth0')).toMatchObject({ mtu: 1400, mac: '02:00:5e:00:53:02', operationalState: 'UP' });
    expect(listLinks(route).map(({ name }) => name)).toEqual(['lo', 'near0']);
    expect(near.json(ipLinks, 'ip', '-d', '-j', 'link', 'show', 'near0')[0]?.num_tx_queues).toBe(1);
  });

  test('a peer goes into the namespace of a process', async () => {
    const child = await far.start('sh', '-c', 'echo ready; exec sleep 60');
    addVeth(route, { name: 'near0', peer: { name: 'eth0', in: { pid: child.pid ?? 0 } } });
    expect(getLink(farRoute, 'eth0').kind).toBe('veth');
  });

  test('mtu, mac, name, master and state change, and only those that were named', () => {
    addLink(route, 'bridge', { name: 'br0' });
    veth();
    const bridge = getLink(route, 'br0');
    setLink(route, 'near0', { mtu: 1300, master: bridge.index });
    expect(getLink(route, 'near0')).toMatchObject({
      mtu: 1300,
      master: bridge.index,
      up: true,
      mac: '02:00:5e:00:53:01',
    });
    setLink(route, 'near0', { up: false });
    setLink(route, 'near0', { name: 'renamed0', mac: '02:00:5e:00:53:09', master: 0 });
    expect(listLinks(route)).toMatchObject(fromIp(near));
    expect(getLink(route, 'renamed0')).toMatchObject({ up: false, master: undefined, mac: '02:00:5e:00:53:09' });
    setLink(route, 'renamed0', { in: { netnsFd: far.fd } });
    expect(listLinks(route).map(({ name }) => name)).toEqual(['lo', 'br0']);
    expect(getLink(farRoute, 'renamed0').kind).toBe('veth');
  });

  test('without a link-local address, ip shows none when the link goes up', () => {
    veth();
    setLink(farRoute, 'eth0', { ipv6LinkLocal: false });
    setLink(farRoute, 'eth0', { up: true });
    setLink(route, 'near0', { mtu: 1400 });
    expect(listAddresses(farRoute, getLink(farRoute, 'eth0').index)).toEqual([]);
    expect(listAddresses(route, getLink(route, 'near0').index)).toMatchObject([{ family: 6, length: 64 }]);
  });

  test('one end deleted takes the other', () => {
    veth();
    deleteLink(farRoute, 'eth0');
    expect(listLinks(route).map(({ name }) => name)).toEqual(['lo']);
  });

  test('more links than one answer of the kernel holds are all listed', () => {
    for (let index = 0; index < 60; index++) addLink(route, 'bridge', { name: `bridge${index}` });
    expect(listLinks(route)).toMatchObject(fromIp(near));
    expect(listLinks(route)).toHaveLength(61);
  });

  test('failures say what, to which link, and why', () => {
    veth();
    expect(veth).toThrow(/^Cannot add veth link "near0": EEXIST \(a link of this name is there already/);
    expect(() => getLink(route, 'none0')).toThrow('Cannot find link "none0": ENODEV (there is no such link)');
    expect(() => deleteLink(route, 9999)).toThrow(SysError);
    expect(() => addLink(route, 'nonsense', { name: 'x0' })).toThrow('the kernel says: Unknown device type');
    expect(() => setLink(route, 'near0', { mtu: 1 })).toThrow(/EINVAL.*the kernel says: mtu less than device minimum/);
    for (const name of ['', '.', 'a/b', 'a b', 'a:b', 'sixteen-letters-', 'ünicode-ünicode'])
      expect(() => addLink(route, 'bridge', { name })).toThrow(EngineError);
    expect(() => setLink(route, 'near0', { mac: '02:00' })).toThrow('six bytes');
  });
});

describe('addresses and routes', () => {
  beforeEach(() => {
    veth();
    setLink(farRoute, 'eth0', { ipv6LinkLocal: false });
    setLink(farRoute, 'eth0', { up: true });
  });
  const index = (): number => getLink(farRoute, 'eth0').index;
  const ipAddresses = (): string[] =>
    far
      .json(ipAddressesOf, 'ip', '-j', 'addr', 'show', 'dev', 'eth0')
      .flatMap((link) => link.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`));
  const ours = (): string[] => listAddresses(farRoute, index()).map(({ address, length }) => `${address}/${length}`);

  test('addresses of both families come and go, as ip sees it', () => {
    addAddress(farRoute, index(), { address: '192.0.2.2', length: 30 });
    addAddress(farRoute, index(), { address: '2001:db8::2', length: 64 });
    expect(ours()).toEqual(['192.0.2.2/30', '2001:db8::2/64']);
    expect(ipAddresses()).toEqual(ours());
    expect(far.run('ip', '-6', 'addr', 'show', 'tentative')).toBe('');
    deleteAddress(farRoute, index(), { address: '192.0.2.2', length: 30 });
    expect(ipAddresses()).toEqual(['2001:db8::2/64']);
    expect(ours()).toEqual(ipAddresses());
    expect(() => deleteAddress(farRoute, index(), { address: '192.0.2.2', length: 30 })).toThrow(
      'Cannot delete address "192.0.2.2/30": EADDRNOTAVAIL (the link has no such address',
    );
    expect(() => addAddress(farRoute, index(), { address: '2001:db8::2', length: 64 })).toThrow('EEXIST');
    expect(() => addAddress(farRoute, 9999, { address: '192.0.2.2', length: 30 })).toThrow('ENODEV');
  });

  test('routes of both families come and go, as ip sees it', () => {
    addAddress(farRoute, index(), { address: '192.0.2.2', length: 30 });
    addAddress(farRoute, index(), { address: '2001:db8::2', length: 64 });
    addRoute(farRoute, { to: 'default', via: '192.0.2.1' });
    addRoute(farRoute, { to: { address: '198.51.100.0', length: 24 }, linkIndex: index() });
    addRoute(farRoute, { to: { address: '2001:db8:1::', length: 48 }, via: '2001:db8::1' });
    const main = () =>
      listRoutes(farRoute)
        .filter(({ table, type }) => table === RT_TABLE_MAIN && type === 1)
        .map(({ to, via }) => `${to.length === 0 ? 'default' : `${to.address}/${to.length}`} ${via ?? '-'}`);
    const ip = () =>
      [4, 6]
        .flatMap((family) => far.json(ipRoutes, 'ip', `-${family}`, '-j', 'route'))
        .map(({ dst, gateway }) => `${dst} ${gateway ?? '-'}`);
    expect(main()).toEqual([
      'default 192.0.2.1',
      '192.0.2.0/30 -',
      '198.51.100.0/24 -',
      '2001:db8::/64 -',
      '2001:db8:1::/48 2001:db8::1',
    ]);
    expect(main()).toEqual(ip());
    deleteRoute(farRoute, { to: 'default', via: '192.0.2.1' });
    deleteRoute(farRoute, { to: { address: '198.51.100.0', length: 24 }, linkIndex: index() });
    expect(main()).toEqual(ip());
    expect(main()).toHaveLength(3);
    expect(() => deleteRoute(farRoute, { to: 'default', via: '192.0.2.1' })).toThrow(
      'Cannot delete route "default via 192.0.2.1": ESRCH (there is no such route)',
    );
    expect(() => addRoute(farRoute, { to: 'default', via: '203.0.113.1' })).toThrow('ENETUNREACH');
  });
});

describe('queueing', () => {
  requires('tbf');

  test('a token bucket has the rate and burst that tc shows', () => {
    veth();
    setTokenBucket(route, getLink(route, 'near0').index, { bytesPerSecond: 12_500_000, burstBytes: 131_072 });
    const [bucket] = near.json(tcQueues, 'tc', '-j', 'qdisc', 'show', 'dev', 'near0');
    expect(bucket).toMatchObject({ kind: 'tbf', root: true, options: { rate: 12_500_000 } });
    // The kernel keeps the burst as a time, in steps of 64 ns: some bytes are lost.
    expect(Math.abs((bucket?.options.burst ?? 0) - 131_072)).toBeLessThan(100);
  });
});

describe('sockets', () => {
  test('a namespace that was visited is left again', () => {
    const before = readlinkSync('/proc/thread-self/ns/net');
    const fd = openNetns(far.path);
    const socket = new NetlinkSocket(NETLINK_ROUTE, fd);
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before);
    expect(readlinkSync(far.path)).not.toBe(before);
    socket.close();
    socket.close();
    closeSync(fd);
  });

  test('a descriptor that is no namespace is refused, and we stay where we are', () => {
    const before = readlinkSync('/proc/thread-self/ns/net');
    const file = openSync('/dev/null', 'r');
    expect(() => new NetlinkSocket(NETLINK_ROUTE, file)).toThrow(/^Cannot setns .*EINVAL/);
    closeSync(file);
    expect(() => openNetns('/proc/1/ns/nothing')).toThrow('ENOENT');
    expect(readlinkSync('/proc/thread-self/ns/net')).toBe(before);
  });

  test('root of the namespace cannot forge an answer of the kernel', () => {
    // The attacker sends to every port that a socket in this namespace has; ours is among them.
    const attack = `
import socket, struct
ports = [int(line.split()[2]) for line in open('/proc/net/netlink').readlines()[1:] if line.split()[1] == '0']
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
s.bind((0, 0))
for port in ports:
    if port == 0 or port == s.getsockname()[0]: continue
    try:
        s.sendto(struct.pack('=LHHLLi', 20, 2, 0, 1, 0, -17), (port, 0))
        print('delivered')
    except ConnectionRefusedError:
        print('refused')
`;
    expect(near.run('/usr/bin/python3', '-c', attack).trim()).toBe('refused');
    expect(getLink(route, 'lo').index).toBe(1);
  });
});
