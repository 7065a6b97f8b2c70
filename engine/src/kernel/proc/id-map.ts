// Parser of /proc/PID/uid_map and gid_map (user_namespaces(7)), and translation through them. Pure.
import { completeLines, decimal } from './text.ts';

export interface IdExtent {
  inside: number;
  outside: number;
  count: number;
}

/** The kernel's own limit (linux/user_namespace.h, UID_GID_MAP_MAX_EXTENTS). */
const MAX_EXTENTS = 340;

/** Empty for a user namespace that nobody has mapped yet. */
export function parseIdMap(bytes: Uint8Array): IdExtent[] {
  const extents: IdExtent[] = [];
  for (const line of completeLines(bytes).slice(0, MAX_EXTENTS)) {
    const [inside, outside, count] = line.trim().split(/\s+/).map(decimal);
    if (inside == null || outside == null || count == null || count === 0) continue;
    extents.push({ inside, outside, count });
  }
  return extents;
}

/**
 * The number by which a namespace calls an outer id, or null when it is not mapped. The second column of a map is in
 * numbers of the *reader's* user namespace, however deep the namespace lies (kernel/user_namespace.c, uid_m_show): a
 * reader in the initial one gets kernel ids, so one look-up does for any depth.
 */
export function toInside(map: readonly IdExtent[], outside: number): number | null {
  for (const extent of map)
    if (outside >= extent.outside && outside - extent.outside < extent.count)
      return extent.inside + (outside - extent.outside);
  return null;
}
