// Uid slots: ranges of 65 536 host ids, one for each sandbox's disk, claimed for the whole host and across restarts.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../model/engine-error.ts';

/** First host id of slot 0; security.md, setting 1. */
export const FIRST_ID = 1_000_000;
export const IDS_PER_SLOT = 65_536;
/** Highest slot whose ids fit in 32 bits. */
const LAST_SLOT = 65_000;

/** Host-wide on purpose: two daemons with different roots on one machine must not give one range to two learners. */
const REGISTRY = '/var/lib/drydock-slots';

export const baseOf = (slot: number) => FIRST_ID + slot * IDS_PER_SLOT;

/** Ranges of /etc/subuid (subuid(5)) that other programs, rootless podman say, may be using. Pure. */
export function parseSubids(text: string): { first: number; count: number }[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(':'))
    .filter((fields) => fields.length === 3)
    .map(([, first, count]) => ({ first: Number(first), count: Number(count) }))
    .filter(({ first, count }) => Number.isSafeInteger(first) && Number.isSafeInteger(count) && count > 0);
}

function overlaps(slot: number, ranges: readonly { first: number; count: number }[]): boolean {
  const base = baseOf(slot);
  return ranges.some(({ first, count }) => first < base + IDS_PER_SLOT && base < first + count);
}

function readSubids(): { first: number; count: number }[] {
  return ['/etc/subuid', '/etc/subgid'].flatMap((file) =>
    existsSync(file) ? parseSubids(readFileSync(file, 'utf8')) : [],
  );
}

export class Slots {
  readonly #registry: string;
  readonly #subids: { first: number; count: number }[];

  constructor(registry = REGISTRY, subids = readSubids()) {
    this.#registry = registry;
    this.#subids = subids;
    mkdirSync(registry, { recursive: true, mode: 0o700 });
  }

  /**
   * Claims the lowest free slot for the sandbox whose directory is `owner`; a claim whose owner's directory is gone is
   * taken over. O_EXCL makes it safe against a second daemon. Throws unavailable when there is none.
   */
  claim(owner: string): number {
    const taken = new Set(readdirSync(this.#registry).map(Number));
    for (let slot = 0; slot <= LAST_SLOT; slot += 1) {
      if (overlaps(slot, this.#subids)) continue;
      if (taken.has(slot) && !this.#stale(slot)) continue;
      if (this.#write(slot, owner)) return slot;
    }
    throw new EngineError(
      'unavailable',
      `Cannot claim ids for "${owner}": all ${LAST_SLOT} ranges are taken; remove sandboxes`,
    );
  }

  release(slot: number): void {
    rmSync(join(this.#registry, String(slot)), { force: true });
  }

  #stale(slot: number): boolean {
    const file = join(this.#registry, String(slot));
    const owner = existsSync(file) ? readFileSync(file, 'utf8') : '';
    if (owner === '' || existsSync(owner)) return false;
    rmSync(file, { force: true });
    return true;
  }

  #write(slot: number, owner: string): boolean {
    try {
      const file = openSync(join(this.#registry, String(slot)), 'wx', 0o600);
      writeSync(file, owner);
      closeSync(file);
      return true;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
      throw error;
    }
  }
}
