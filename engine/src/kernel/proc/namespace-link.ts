// Parser of the links under /proc/PID/ns (namespaces(7)): "pid:[4026531836]". Pure.
import { decimal, decode } from './text.ts';

/** The inode number, which names the namespace while anything holds it; null for anything else. */
export function parseNamespaceLink(target: Uint8Array): number | null {
  return decimal(/^[a-z_]{1,20}:\[([0-9]{1,15})\]$/.exec(decode(target))?.[1]);
}
