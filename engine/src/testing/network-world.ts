// A network world for tests: a host that forwards, a neighbour that answers for the internet and the cloud's metadata,
// two sandboxes. All of it in namespaces of its own; the machine's network is not touched.
import { join } from 'node:path';
import { z } from 'zod';
import { listCounters } from '../kernel/netlink/nftables.ts';
import { NETLINK_NETFILTER, NetlinkSocket } from '../kernel/netlink/socket.ts';
import { createSandboxNetwork, type Attachment, type SandboxNetwork } from '../sandbox/network.ts';
import { tableName } from '../sandbox/network-rules.ts';
import { TestNamespace } from './network-namespace.ts';

/** Debian’s own, not what a version manager puts before it: it starts in a tenth of the time. */
export const PYTHON = '/usr/bin/python3';
export const REACH = join(import.meta.dirname, 'reach.py');
export const INSTANCE = 'test1';
/** What stands for the internet, and the host's address towards it. */
export const OUTSIDE = '11.0.0.2';
export const HOST_OUTSIDE = '11.0.0.1';
export const METADATA = '169.254.169.254';

/** Packets to send, as reach.py knows them. */
export interface Check {
  kind: 'ping' | 'tcp' | 'udp';
  to: string;
  port?: number;
  count?: number;
  size?: number;
  from?: string;
}

/** How many of each check's packets were answered. */
export const reach = (from: TestNamespace, ...checks: Check[]): number[] =>
  from.json(z.array(z.number()), PYTHON, REACH, 'check', JSON.stringify(checks));

export class NetworkWorld {
  readonly host = new TestNamespace();
  readonly outside = new TestNamespace();
  readonly alice = new TestNamespace();
  readonly bob = new TestNamespace();
  network: SandboxNetwork;
  /** The links of alice and bob: slots 0 and 1. */
  a: Attachment;
  b: Attachment;

  private constructor() {
    const { host, outside } = this;
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
    this.network = createSandboxNetwork({ instance: INSTANCE, hostNetns: host.fd });
    this.a = this.b = { link: '', hostAddress: '', address: '', prefix: 0, gateway: '' };
  }

  static async open(): Promise<NetworkWorld> {
    const world = new NetworkWorld();
    await world.#link();
    return world;
  }

  async #link(): Promise<void> {
    await this.network.ensureHost();
    this.a = await this.network.attach({ slot: 0, netnsFd: this.alice.fd });
    this.b = await this.network.attach({ slot: 1, netnsFd: this.bob.fd });
  }

  /** The same sandboxes with other limits. */
  async relink(limits: object, dns: boolean): Promise<void> {
    await this.network.removeAll();
    this.network.close();
    this.network = createSandboxNetwork({ instance: INSTANCE, hostNetns: this.host.fd, dns, limits });
    await this.#link();
  }

  /** Packets that the rules of this comment dropped or accepted. */
  counted(comment: string): bigint {
    const socket = new NetlinkSocket(NETLINK_NETFILTER, this.host.fd);
    try {
      return listCounters(socket, tableName(INSTANCE))
        .filter((rule) => rule.comment === comment)
        .reduce((sum, { packets }) => sum + packets, 0n);
    } finally {
      socket.close();
    }
  }

  removeRules(): void {
    this.host.run('nft', 'delete', 'table', 'inet', tableName(INSTANCE));
  }

  /** Links, addresses, routes and tables of the host. */
  state(): string[] {
    return [
      this.host.run('ip', '-j', 'link'),
      this.host.run('ip', '-j', 'addr'),
      this.host.run('ip', '-j', 'route'),
      this.host.run('nft', '-j', 'list', 'tables'),
    ];
  }

  close(): void {
    for (const owned of [this.network, this.alice, this.bob, this.outside, this.host]) owned.close();
  }
}
