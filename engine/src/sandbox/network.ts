// The network of one instance's sandboxes: a veth and a /30 each, and the one table that keeps them off the host and off
// each other. Starts no process, never changes the host's forwarding; what the rules are is in network-rules.ts.
import { isDeepStrictEqual } from 'node:util';
import { withFileLock } from '../kernel/file-lock.ts';
import { listAddresses } from '../kernel/netlink/address.ts';
import { addVeth, deleteLinkInThread, listLinks } from '../kernel/netlink/link.ts';
import { commit, listCounters, listElements, listTables, takenFrom, watchRules } from '../kernel/netlink/nftables.ts';
import { listRoutes } from '../kernel/netlink/route.ts';
import { closeDescriptor, openNetns } from '../kernel/netlink/netns.ts';
import { NETLINK_NETFILTER, NETLINK_ROUTE, NetlinkSocket } from '../kernel/netlink/socket.ts';
import {
  POOL_LENGTH,
  SLOT_LENGTH,
  checkInstance,
  choosePool,
  linkName,
  poolOfHostAddress,
  slotAddresses,
  slotOfLink,
} from '../model/address-pool.ts';
import { isErrno } from '../model/engine-error.ts';
import type { Prefix } from '../model/ip-address.ts';
import { INSIDE_NAME, configureHostEnd, configureInside } from './network-ends.ts';
import {
  COUNTED_RULES,
  NETWORK_LIMITS,
  POOL_SET,
  SANDBOX_SET,
  TABLE_PREFIX,
  sandboxChanges,
  tableChanges,
  tableName,
  type NetworkLimits,
} from './network-rules.ts';

/** Host-wide on purpose: two instances that choose at once would choose the same. */
const LOCK = '/run/drydock-network.lock';

export interface SandboxNetworkOptions {
  /** One to eight small letters and digits; in the names of links and of the table. */
  readonly instance: string;
  /** Descriptor of the network namespace that is the host's side; the daemon's own if not given. */
  readonly hostNetns?: number;
  /** True once somebody answers DNS on the host's ends of the links. */
  readonly dns?: boolean;
  readonly limits?: Partial<NetworkLimits>;
}

export interface Attachment {
  /** Name of the host's end; the sandbox's is eth0. */
  readonly link: string;
  readonly hostAddress: string;
  readonly address: string;
  readonly prefix: number;
  readonly gateway: string;
}

/** Where a sandbox's end goes: a descriptor of its network namespace, or a process in it. */
export type SandboxNetns = { readonly netnsFd: number } | { readonly pid: number };

export class SandboxNetwork {
  readonly #instance: string;
  readonly #table: string;
  readonly #hostNetns: number | undefined;
  readonly #filter: { readonly limits: NetworkLimits; readonly dns: boolean };
  readonly #route: NetlinkSocket;
  readonly #nftables: NetlinkSocket;
  readonly #changes: NetlinkSocket;
  #pool: Prefix | undefined;

  constructor({ instance, hostNetns, dns, limits }: SandboxNetworkOptions) {
    this.#instance = checkInstance(instance);
    this.#table = tableName(instance);
    this.#hostNetns = hostNetns;
    this.#filter = { limits: { ...NETWORK_LIMITS, ...limits }, dns: dns ?? false };
    this.#route = new NetlinkSocket(NETLINK_ROUTE, hostNetns);
    this.#nftables = new NetlinkSocket(NETLINK_NETFILTER, hostNetns);
    this.#changes = watchRules(hostNetns);
  }

  /**
   * Puts the table in place, in one transaction that leaves no moment without rules: with the sandboxes whose links are
   * there, and with the addresses that they have; these are returned. Call it at the daemon's start, and when something may have flushed
   * the rules. Throws `unavailable` where no addresses are free.
   */
  async ensureHost(): Promise<Prefix> {
    return await withFileLock(LOCK, () => {
      const tables = listTables(this.#nftables);
      const pool = this.#poolInUse(tables) ?? this.#choosePool(tables);
      const links = this.#links().map(({ name }) => name);
      commit(this.#nftables, this.#table, [
        ...(tables.includes(this.#table) ? [{ delete: 'table' } as const] : []),
        ...tableChanges(pool),
        ...sandboxChanges('add', links, this.#filter),
      ]);
      this.#pool = pool;
      return pool;
    });
  }

  /**
   * Ensures the rules again where somebody took them away, with `nft flush ruleset` say, or some of them. True where they
   * were not whole: until then sandboxes could reach the host's ports. About a millisecond; meant for every few
   * seconds, and for when `touched` says so.
   */
  async mend(): Promise<boolean> {
    if (this.#isWhole()) return false;
    await this.ensureHost();
    return true;
  }

  /** Whether anybody took something of the table since the last call: then it is time for `mend`. Some microseconds. */
  touched(): boolean {
    const tables = takenFrom(this.#changes);
    return tables === undefined || tables.has(this.#table);
  }

  #isWhole(): boolean {
    if (!listTables(this.#nftables).includes(this.#table)) return false;
    const [pool] = listElements(this.#nftables, this.#table, POOL_SET) ?? [];
    const guarded = new Set(listElements(this.#nftables, this.#table, SANDBOX_SET));
    const rules = listCounters(this.#nftables, this.#table).map(({ comment }) => comment);
    return (
      pool !== undefined &&
      this.#links().every(({ name }) => guarded.has(name)) &&
      isDeepStrictEqual(rules, COUNTED_RULES)
    );
  }

  /** Links a new sandbox: rules first, so that no packet of it is ever without them. Undone as a whole where a part fails. */
  async attach({ slot, ...where }: { readonly slot: number } & SandboxNetns): Promise<Attachment> {
    const { host, sandbox } = slotAddresses(this.#pool ?? (await this.ensureHost()), slot);
    const link = linkName(this.#instance, slot);
    const netns = 'pid' in where ? openNetns(`/proc/${where.pid}/ns/net`) : where.netnsFd;
    try {
      await this.#make(link, netns);
      configureHostEnd(this.#route, link, host, this.#filter.limits);
      configureInside(netns, sandbox, host);
      return { link, hostAddress: host, address: sandbox, prefix: SLOT_LENGTH, gateway: host };
    } catch (error) {
      try {
        await this.detach(slot);
      } catch (cleanup) {
        const message = `Cannot link slot ${slot}, nor take back what was made of its link`;
        throw new AggregateError([error, cleanup], message, { cause: cleanup });
      }
      throw error;
    } finally {
      if ('pid' in where) closeDescriptor(netns);
    }
  }

  /**
   * Takes a sandbox's link and its place in the rules; no error where there is none. A namespace that has ended takes its
   * link with it: called after the sandbox's last process has gone, this rarely has a link to wait for.
   */
  async detach(slot: number): Promise<void> {
    const link = linkName(this.#instance, slot);
    await this.#deleteLink(link);
    this.#removeFromRules(link);
  }

  /** Takes the links and rules of sandboxes that are not alive, and makes the rules whole for those that are. Returns the slots taken. */
  async collect(liveSlots: Iterable<number>): Promise<number[]> {
    const live = new Set(liveSlots);
    const dead = this.#links().filter(({ slot }) => !live.has(slot));
    for (const { name } of dead) await this.#deleteLink(name);
    await this.ensureHost();
    return dead.map(({ slot }) => slot);
  }

  /** Takes everything of the instance from the host: for uninstalling, and for tests. */
  async removeAll(): Promise<void> {
    for (const { name } of this.#links()) await this.#deleteLink(name);
    if (listTables(this.#nftables).includes(this.#table)) commit(this.#nftables, this.#table, [{ delete: 'table' }]);
    this.#pool = undefined;
  }

  /** Closes the sockets; links and rules stay. */
  close(): void {
    this.#route.close();
    this.#nftables.close();
    this.#changes.close();
  }

  #links(): { name: string; slot: number; index: number }[] {
    return listLinks(this.#route).flatMap(({ name, index }) => {
      const slot = slotOfLink(this.#instance, name);
      return slot === undefined ? [] : [{ name, slot, index }];
    });
  }

  /** The pool that the table or, where somebody flushed that, the sandboxes' links say is ours. */
  #poolInUse(tables: readonly string[]): Prefix | undefined {
    if (tables.includes(this.#table)) {
      const [address] = listElements(this.#nftables, this.#table, POOL_SET) ?? [];
      if (address !== undefined) return { address, length: POOL_LENGTH };
    }
    const addresses = listAddresses(this.#route);
    for (const { slot, index } of this.#links()) {
      const own = addresses.find(({ linkIndex, family }) => linkIndex === index && family === 4);
      const pool = own === undefined ? undefined : poolOfHostAddress(own.address, slot);
      if (pool !== undefined) return pool;
    }
    return undefined;
  }

  #choosePool(tables: readonly string[]): Prefix {
    const others = tables
      .filter((table) => table.startsWith(TABLE_PREFIX) && table !== this.#table)
      .flatMap((table) => listElements(this.#nftables, table, POOL_SET) ?? [])
      .map((address) => ({ address, length: POOL_LENGTH }));
    const routes = listRoutes(this.#route)
      .filter(({ family }) => family === 4)
      .map(({ to }) => to);
    return choosePool([...routes, ...others]);
  }

  /**
   * Rules first, then the link, with no await between them: `ensureHost` makes the table for the links that it sees, and
   * must not come between.
   */
  #makeUnderRules(link: string, netns: number): void {
    commit(this.#nftables, this.#table, sandboxChanges('add', [link], this.#filter));
    addVeth(this.#route, { name: link, up: true, peer: { name: INSIDE_NAME, in: { netnsFd: netns } } });
  }

  async #make(link: string, netns: number): Promise<void> {
    try {
      this.#makeUnderRules(link, netns);
    } catch (error) {
      // ENOENT: somebody took the table. EEXIST: the slot's last sandbox left its link, in a crash between the two ends
      // of its life — or it is the sandbox that has an eth0 already.
      const leftover = isErrno(error, 'EEXIST') && this.#links().some(({ name }) => name === link);
      if (!leftover && !isErrno(error, 'ENOENT')) throw error;
      await this.#deleteLink(link);
      await this.ensureHost();
      this.#makeUnderRules(link, netns);
    }
  }

  #removeFromRules(link: string): void {
    const changes = sandboxChanges('delete', [link], this.#filter);
    try {
      commit(this.#nftables, this.#table, changes);
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw error;
      // Not in all of the sets, or the table is gone: what is there goes one by one.
      for (const change of changes)
        try {
          commit(this.#nftables, this.#table, [change]);
        } catch (missing) {
          if (!isErrno(missing, 'ENOENT')) throw missing;
        }
    }
  }

  /** On a socket of its own: the thread that deletes holds it for some 15 ms. */
  async #deleteLink(link: string): Promise<void> {
    const route = new NetlinkSocket(NETLINK_ROUTE, this.#hostNetns);
    try {
      await deleteLinkInThread(route, link);
    } catch (error) {
      if (!isErrno(error, 'ENODEV')) throw error;
    } finally {
      route.close();
    }
  }
}

/** The network of an instance's sandboxes; `ensureHost` comes first. */
export function createSandboxNetwork(options: SandboxNetworkOptions): SandboxNetwork {
  return new SandboxNetwork(options);
}
