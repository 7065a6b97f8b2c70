// Which addresses sandboxes have: a /14 for each instance, clear of the host's routes, and in it a /30 for each slot.
// Also the names of their links. Pure.
import { EngineError } from './engine-error.ts';
import { ipv4Number, ipv4Range, ipv4Text, type Prefix } from './ip-address.ts';

/** 2^16 networks of four addresses: as many as there are uid slots. */
export const POOL_LENGTH = 14;
export const SLOT_LENGTH = 30;
const SLOTS = 2 ** (SLOT_LENGTH - POOL_LENGTH);

/**
 * Where pools may lie, in the order in which they are tried. Not the beginnings of 10/8, nor 10.96/12 and 10.244/16,
 * nor 172.17/16 and behind: routers, Kubernetes and Docker sit there, and come up after us as well as before.
 */
export const POOL_CANDIDATES: readonly Prefix[] = [
  ...range(10, 200, 240),
  ...range(10, 128, 200),
  ...range(100, 64, 128),
  ...range(172, 28, 32),
  ...range(10, 32, 96),
];

function range(first: number, from: number, to: number): Prefix[] {
  const pools: Prefix[] = [];
  for (let second = from; second < to; second += 4)
    pools.push({ address: `${first}.${second}.0.0`, length: POOL_LENGTH });
  return pools;
}

const overlap = (a: Prefix, b: Prefix): boolean => {
  const [one, other] = [ipv4Range(a), ipv4Range(b)];
  return one.first <= other.last && other.first <= one.last;
};

/**
 * The first candidate that touches none of the prefixes in use (IPv4 routes, pools of other instances; a default route
 * does not count). Throws `unavailable` where there is none.
 */
export function choosePool(inUse: readonly Prefix[]): Prefix {
  const real = inUse.filter(({ length }) => length > 0);
  const pool = POOL_CANDIDATES.find((candidate) => !real.some((used) => overlap(candidate, used)));
  if (pool === undefined)
    throw new EngineError(
      'unavailable',
      'Cannot choose addresses for sandboxes: the host has routes into every private network that they could use',
    );
  return pool;
}

export interface SlotAddresses {
  /** The host's end of the link; the sandbox's gateway. */
  readonly host: string;
  readonly sandbox: string;
}

/** The two addresses of a slot's /30: x.1 the host, x.2 the sandbox. Throws `invalid_argument` beyond the pool's end. */
export function slotAddresses(pool: Prefix, slot: number): SlotAddresses {
  if (!Number.isInteger(slot) || slot < 0 || slot >= SLOTS)
    throw new EngineError('invalid_argument', `Cannot give addresses to slot ${slot}: slots go from 0 to ${SLOTS - 1}`);
  const first = ipv4Range(pool).first + 4 * slot;
  return { host: ipv4Text(first + 1), sandbox: ipv4Text(first + 2) };
}

/** The pool in which a slot has this host address; undefined where it fits no pool. */
export function poolOfHostAddress(host: string, slot: number): Prefix | undefined {
  const first = ipv4Number(host) - 1 - 4 * slot;
  return POOL_CANDIDATES.find(({ address }) => ipv4Number(address) === first);
}

/** Up to eight characters: with two before, one between and four behind, a link's name has fifteen. */
const INSTANCE = /^[a-z0-9]{1,8}$/;

/** Throws `invalid_argument` for an instance id that would not fit into the name of a link. */
export function checkInstance(instance: string): string {
  if (!INSTANCE.test(instance))
    throw new EngineError(
      'invalid_argument',
      `Cannot use "${instance}" as the id of an instance: it must be 1 to 8 small letters and digits`,
    );
  return instance;
}

/** The host's end of a sandbox's link: "dkab12-3f", the slot to the base of 36. */
export function linkName(instance: string, slot: number): string {
  return `dk${checkInstance(instance)}-${slot.toString(36)}`;
}

/** The slot of a link of this instance; undefined for any other link. */
export function slotOfLink(instance: string, name: string): number | undefined {
  const prefix = `dk${instance}-`;
  const digits = name.slice(prefix.length);
  if (!name.startsWith(prefix) || !/^(0|[1-9a-z][0-9a-z]{0,3})$/.test(digits)) return undefined;
  const slot = Number.parseInt(digits, 36);
  return slot < SLOTS ? slot : undefined;
}
